import { parseArgs } from 'node:util';
import { ADMIN_USAGE } from './operator-usage.ts';

/** How `npm run erase` is told what to do. */
export const ERASE_USAGE = `Usage: npm run erase -- --subject order:D-1001 --why "GDPR request 17" [options]

Erases what Redis holds about a subject: payloads, results of steps, error messages, fingerprints. Jobs that have not
begun are cancelled; a running one is erased when its attempt ends, and does not run again. Ids, states and times stay.
  --subject NAME     whose data go, as in GET /v1/subjects/NAME/jobs
  --why TEXT         the reason, for the audit log; no personal data in it
  --forget-subject   the name of the subject is personal data: it goes too, and with it the timeline
  --rewrite          then let Redis rewrite its append-only file, so that the erased leaves it now
  --dry-run          only tell what would be done
  --yes              do not ask; needed where nobody can answer
${ADMIN_USAGE}
--rewrite asks Redis itself: it reads REDIS_URL redis://127.0.0.1:6379, as the processes do.
Exit code: 0 done; 1 Redis knows no job about the subject; 2 it could not be done.`;

/** What `npm run erase` is to do. */
export interface EraseOptions {
  readonly subject: string;
  readonly why: string;
  readonly forgetSubject: boolean;
  readonly rewrite: boolean;
  readonly dryRun: boolean;
  readonly yes: boolean;
}

/** Reads the command line; undefined when help is asked for. @throws Error that says what to write instead */
export function eraseOptions(args: readonly string[]): EraseOptions | undefined {
  const { values } = parse(args);
  if (values.help) return undefined;
  const { subject = '', why = '' } = values;
  for (const [name, text] of Object.entries({ subject, why })) {
    if (text.trim() === '') throw new Error(`--${name} is missing.\n\n${ERASE_USAGE}`);
  }
  return {
    ...{ subject, why, yes: values.yes, rewrite: values.rewrite },
    ...{ forgetSubject: values['forget-subject'], dryRun: values['dry-run'] },
  };
}

function parse(args: readonly string[]) {
  const flag = { type: 'boolean', default: false } as const;
  const text = { type: 'string' } as const;
  const flags = { 'forget-subject': flag, rewrite: flag, 'dry-run': flag, yes: flag, help: { ...flag, short: 'h' } };
  try {
    return parseArgs({ args: [...args], options: { subject: text, why: text, ...flags } });
  } catch (error) {
    throw new Error(`${(error as Error).message}\n\n${ERASE_USAGE}`);
  }
}
