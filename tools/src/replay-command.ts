import { parseArgs } from 'node:util';
import type { JobState, ReplayResult } from '@coordinator/tasks';
import { AdminClient, type AdminPage } from './admin-client.ts';
import { FILTER_OPTIONS, readLimit } from './dead-letter-filter.ts';
import { ADMIN_USAGE } from './operator-usage.ts';

const USAGE = `Usage: npm run replay -- JOB_ID… --why "<reason>"
       npm run replay -- --queue Q [--task T] [--outcome O] [--code C] [--limit N] [--dry-run] --why "<reason>"

Begins dead letters anew: with all their attempts, without the steps that are finished. The oldest goes first.
  --queue Q    all of this queue, or those of them that fit --task, --outcome and --code; npm run dead-letters lists them
  --limit N    only the oldest N of them
  --dry-run    only tells which
  --why TEXT   the reason, for the audit log; no personal data in it
${ADMIN_USAGE}
May be repeated: what is no dead letter stays as it is.
Exit code: 0 done; 1 there was nothing to replay, or one could not be replayed; 2 it could not be done.`;

/** What became of a dead letter, as the admin API shows it; `before` is null where nothing was tried. */
interface Replayed {
  readonly jobId: string;
  readonly task?: string | null;
  readonly before: JobState | null;
  readonly after: JobState | null;
  readonly refused: ReplayResult['refused'] | null;
}

/** What one request replays, at most. */
const AT_ONCE = 100;

/** `npm run replay`; returns its exit code. @throws Error when it could not be done */
export async function replayCommand(args: string[], say: (text: string) => void): Promise<number> {
  const options = readOptions(args);
  if (!options) {
    say(USAGE);
    return 0;
  }
  const results = options.filter ? replayFitting(options.filter, options) : replayNamed(options.jobIds, options);
  let [wanted, replayed] = [0, 0];
  for await (const [jobId, result] of results) {
    wanted += 1;
    if (options.dryRun) {
      say(`${jobId} ${result?.task ?? 'unknown'}`);
      continue;
    }
    if (result && result.before !== result.after) replayed += 1;
    say(`${jobId}: ${explain(result)}`);
  }
  if (wanted === 0) {
    say('There are no such dead letters.');
    return 1;
  }
  say(options.dryRun ? `${wanted} would be replayed.` : `${replayed} of ${wanted} replayed.`);
  return options.dryRun || replayed === wanted ? 0 : 1;
}

interface Manner {
  readonly why: string;
  readonly limit: number;
  readonly dryRun: boolean;
}

type Results = AsyncGenerator<[jobId: string, result: Replayed | undefined]>;

async function* replayNamed(jobIds: readonly string[], { why }: Manner): Results {
  const client = new AdminClient();
  for (const jobId of jobIds) {
    yield [jobId, await client.post<Replayed>(`/dead-letters/${encodeURIComponent(jobId)}/replay`, { why })];
  }
}

async function* replayFitting(filter: object, { why, limit, dryRun }: Manner): Results {
  const client = new AdminClient();
  let left = limit;
  for (let cursor: string | null | undefined; cursor !== null && left > 0;) {
    const body = { ...filter, why, dryRun, cursor, limit: Math.min(left, AT_ONCE) };
    const page: AdminPage<Replayed> | undefined = await client.post('/dead-letters/replay', body);
    for (const result of page?.items ?? []) yield [result.jobId, result];
    left -= page?.items.length ?? 0;
    cursor = page?.cursor ?? null;
  }
}

function readOptions(args: string[]) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      ...FILTER_OPTIONS,
      why: { type: 'string' },
      'dry-run': { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return undefined;
  const { queue, task, outcome, code, limit, 'dry-run': dryRun = false } = values;
  const jobIds = [...new Set(positionals)];
  const filtered = dryRun || [queue, task, outcome, code, limit].some((value) => value !== undefined);
  if (filtered ? !queue || jobIds.length > 0 : jobIds.length === 0) {
    throw new Error(`Either job ids are needed or --queue.\n\n${USAGE}`);
  }
  const why = values.why?.trim();
  if (!why) throw new Error(`A reason is needed: --why.\n\n${USAGE}`);
  const filter = filtered ? { queue, task, outcome, code } : undefined;
  return { jobIds, filter, limit: limit === undefined ? Infinity : readLimit(limit), dryRun, why };
}

const REFUSALS: Record<NonNullable<ReplayResult['refused']>, string> = {
  erased: 'its subject was erased, there is nothing left to run',
  incomplete: 'its record could not be read, there is nothing left to run',
  changed: 'it was replayed meanwhile, and failed again',
};

function explain(result: Replayed | undefined): string {
  if (!result) return 'there is no such job: it was never accepted here, or its record has expired';
  const { before, after, refused } = result;
  if (refused) return `stays dead: ${REFUSALS[refused]}`;
  return before === 'dead' ? `dead → ${after}` : `is no dead letter, it is ${before}`;
}
