import { parseArgs } from 'node:util';
import type { Logger } from '@coordinator/logging';
import { RedisBackend, taskNamedIn, type ReplayResult } from '@coordinator/tasks';
import { FILTER_OPTIONS, findDeadLetters, readLimit, type DeadLetterFilter } from './dead-letter-filter.ts';
import { operatorLog } from './operator-log.ts';
import { withRedis } from './operator-redis.ts';

const USAGE = `Usage: npm run replay -- JOB_ID… --why "<reason>"
       npm run replay -- --queue Q [--task T] [--outcome O] [--limit N] [--dry-run] --why "<reason>"

Begins dead letters anew: with all their attempts, without the steps that are finished. The oldest goes first.
  --queue Q    all of this queue, or those of them that fit --task and --outcome; npm run dead-letters lists them
  --limit N    only the newest N of them
  --dry-run    only tells which
  --why TEXT   the reason, for the log; no personal data in it
Reads REDIS_URL redis://127.0.0.1:6379, as the processes do. May be repeated: what is no dead letter stays as it is.
Exit code: 0 done; 1 there was nothing to replay, or one could not be replayed; 2 it could not be done.`;

/** A dead letter to be replayed, or what was taken for one. */
interface Wanted {
  readonly jobId: string;
  readonly task?: string | undefined;
  readonly finishedAtMs?: number | undefined;
}

/** `npm run replay`; returns its exit code. @param log told of each replay @throws Error when it could not be done */
export async function replayCommand(
  args: string[],
  say: (text: string) => void,
  log: Logger = operatorLog('coordinator-replay'),
): Promise<number> {
  const options = readOptions(args);
  if (!options) {
    say(USAGE);
    return 0;
  }
  const { jobIds, filter, limit, dryRun, why } = options;
  return withRedis(async ({ connection }) => {
    const backend = new RedisBackend(connection);
    const wanted = filter ? await find(backend, filter, limit) : await named(backend, jobIds);
    if (wanted.length === 0) {
      say('There are no such dead letters.');
      return 1;
    }
    if (dryRun) {
      for (const { jobId, task = 'unknown' } of wanted) say(`${jobId} ${task}`);
      say(`${wanted.length} would be replayed.`);
      return 0;
    }
    let replayed = 0;
    for (const { jobId, task = 'unknown', finishedAtMs } of wanted) {
      const result = await backend.replay(jobId, finishedAtMs);
      if (result && result.before !== result.after) {
        replayed += 1;
        log.warn({ jobId, task, why }, 'replayed a dead letter');
      }
      say(`${jobId}: ${explain(result)}`);
    }
    say(`${replayed} of ${wanted.length} replayed.`);
    return replayed === wanted.length ? 0 : 1;
  });
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
  const { queue, task, outcome, limit, 'dry-run': dryRun = false } = values;
  const jobIds = [...new Set(positionals)];
  const filtered = dryRun || [queue, task, outcome, limit].some((value) => value !== undefined);
  if (filtered ? !queue || jobIds.length > 0 : jobIds.length === 0) {
    throw new Error(`Either job ids are needed or --queue.\n\n${USAGE}`);
  }
  const why = values.why?.trim();
  if (!why) throw new Error(`A reason is needed: --why.\n\n${USAGE}`);
  const filter: DeadLetterFilter | undefined = filtered ? { queue, task, outcome } : undefined;
  return { jobIds, filter, limit: limit === undefined ? Infinity : readLimit(limit), dryRun, why };
}

async function find(backend: RedisBackend, filter: DeadLetterFilter, limit: number): Promise<Wanted[]> {
  const found: Wanted[] = [];
  for await (const { jobId, task, finishedAtMs } of findDeadLetters(backend, filter)) {
    if (found.push({ jobId, task, finishedAtMs }) === limit) break;
  }
  return found.reverse();
}

async function named(backend: RedisBackend, jobIds: readonly string[]): Promise<Wanted[]> {
  const records = await Promise.all(jobIds.map((jobId) => backend.job(jobId)));
  return jobIds.map((jobId, i) => {
    const { envelope = '', finishedAtMs } = records[i] ?? {};
    return { jobId, task: taskNamedIn(envelope), finishedAtMs };
  });
}

const REFUSALS: Record<NonNullable<ReplayResult['refused']>, string> = {
  erased: 'its subject was erased, there is nothing left to run',
  incomplete: 'its record could not be read, there is nothing left to run',
  changed: 'it was replayed meanwhile, and failed again',
};

function explain(result: ReplayResult | undefined): string {
  if (!result) return 'there is no such job: it was never accepted here, or its record has expired';
  const { before, after, refused } = result;
  if (refused) return `stays dead: ${REFUSALS[refused]}`;
  return before === 'dead' ? `dead → ${after}` : `is no dead letter, it is ${before}`;
}
