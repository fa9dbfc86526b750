import { parseArgs } from 'node:util';
import { RedisBackend, type DeadLetter } from '@coordinator/tasks';
import { FILTER_OPTIONS, findDeadLetters, readLimit } from './dead-letter-filter.ts';
import { drawDeadLetters } from './dead-letter-table.ts';
import { withRedis } from './operator-redis.ts';

const USAGE = `Usage: npm run dead-letters [-- [--queue Q] [--task T] [--outcome O] [--limit N] [--json]]

Lists the jobs that failed for good, newest first.
  --queue Q    of this queue. Default: all
  --task T     of this task, such as lms.enrol
  --outcome O  why: permanent, attempts-spent, gave-up, crashed-worker, payload-invalid or unreadable
  --limit N    at most so many. Default 50
  --json       prints them as JSON
Reads REDIS_URL redis://127.0.0.1:6379, as the processes do, and PAYLOAD_KEYS to show messages that are encrypted.
Exit code: 0 listed, 2 it could not be done.`;

/** `npm run dead-letters`; returns its exit code. @throws Error when it could not be done */
export async function deadLettersCommand(args: string[], say: (text: string) => void): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { ...FILTER_OPTIONS, json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) {
    say(USAGE);
    return 0;
  }
  const limit = readLimit(values.limit ?? '50');
  const found = await withRedis(async ({ connection, cipher }) => {
    const items: DeadLetter[] = [];
    for await (const item of findDeadLetters(new RedisBackend(connection, { cipher }), values)) {
      // One more tells that there are more.
      if (items.push(item) > limit) break;
    }
    return items;
  });
  const shown = found.slice(0, limit);
  if (values.json) say(JSON.stringify(shown.map(toJson), undefined, 2));
  else say(drawDeadLetters(shown, found.length > limit));
  return 0;
}

function toJson({ jobId, task, queue, finishedAtMs = 0, createdAtMs, attempt, outcome, error }: DeadLetter) {
  const [acceptedAt, finishedAt] = [createdAtMs, finishedAtMs].map((ms) => new Date(ms).toISOString());
  return { jobId, task, queue, acceptedAt, finishedAt, attempts: attempt, outcome, error };
}
