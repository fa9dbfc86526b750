import { parseArgs } from 'node:util';
import type { CancelResult } from '@coordinator/tasks';
import { AdminClient } from './admin-client.ts';
import { ADMIN_USAGE } from './operator-usage.ts';

const USAGE = `Usage: npm run cancel -- <jobId> --why "<reason>"

Calls a job off. The reason is kept with the job, as the message of its error, and in the audit log.
${ADMIN_USAGE}
Exit code: 0 done, or told to stop; 1 there is no such job, or it had ended; 2 it could not be done.`;

/** `npm run cancel`; returns its exit code. @throws Error when it could not be done */
export async function cancelCommand(args: string[], say: (text: string) => void): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { why: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) {
    say(USAGE);
    return 0;
  }
  const [jobId, ...others] = positionals;
  const why = values.why?.trim();
  if (!jobId || others.length > 0 || !why) throw new Error(`A job id and a reason are needed.\n\n${USAGE}`);
  const result = await new AdminClient().post<CancelResult>(`/jobs/${encodeURIComponent(jobId)}/cancel`, { why });
  if (result) say(`${jobId}: ${result.before} → ${result.after}`);
  say(explain(jobId, result));
  return result?.after === 'cancelled' || result?.after === 'running' ? 0 : 1;
}

function explain(jobId: string, result: CancelResult | undefined): string {
  if (!result) return `There is no job ${jobId}: it was never accepted here, or its record has expired.`;
  const { before, after } = result;
  if (after === 'running') {
    return 'Its worker is told within 2 s. The job is cancelled when the attempt stops, and completed if it gets done first.';
  }
  if (before === after) return `It had ended before: it stays ${after}.`;
  return 'It will not run.';
}
