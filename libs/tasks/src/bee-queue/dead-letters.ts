import { taskNamedIn } from '../envelope.ts';
import type { JobRecord } from '../job.ts';
import { pairs } from './pairs.ts';
import type { RedisConnection } from './redis-connection.ts';

/** A job kept after its last attempt. */
export interface DeadLetter extends JobRecord {
  readonly queue: string;
  /** Undefined when its envelope cannot be read. */
  readonly task: string | undefined;
}

/** Where a dead letter stands among the others: by when it ended. */
export interface DeadLetterPlace {
  readonly jobId: string;
  readonly finishedAtMs: number;
}

/** Which dead letters are asked for. */
export interface DeadLetterQuery {
  readonly queues: readonly string[];
  /** Default newest. */
  readonly first?: 'newest' | 'oldest';
  /** Only those that come after this one in that order. Default: from the first on. */
  readonly after?: DeadLetterPlace | undefined;
  /** Only those that had ended by then. Default: all. */
  readonly untilMs?: number | undefined;
  /** Most to read. Default 100. */
  readonly limit?: number;
}

/** Some dead letters, in the order that was asked for. */
export interface DeadLetterPage {
  /** May be fewer than asked for, although there are more: some were gone. */
  readonly items: readonly DeadLetter[];
  /** For {@link DeadLetterQuery.after}; undefined on the last page. */
  readonly next: DeadLetterPlace | undefined;
}

type QueuedPlace = DeadLetterPlace & { readonly queue: string };

/** Reads a page of the dead letters of some queues; see RedisBackend.deadLetters. */
export async function readDeadLetters(
  connection: RedisConnection,
  root: string,
  query: DeadLetterQuery,
  readJob: (jobId: string) => Promise<JobRecord | undefined>,
): Promise<DeadLetterPage> {
  const { queues, limit = 100, first = 'newest' } = query;
  const ofQueues = queues.map((queue) => placesIn(connection, `${root}q:${queue}:dead`, query));
  const places = (await Promise.all(ofQueues)).flatMap((some, i) =>
    some.map((place): QueuedPlace => ({ ...place, queue: queues[i] as string })),
  );
  places.sort((a, b) => (isOlder(a, b) === (first === 'oldest') ? -1 : 1));
  const page = places.slice(0, limit);
  const records = await Promise.all(page.map(({ jobId }) => readJob(jobId)));
  const items = records.map((record, i): DeadLetter | undefined => {
    // It may have expired, or have been replayed meanwhile.
    if (record?.state !== 'dead') return undefined;
    return { ...record, queue: page[i]?.queue ?? '', task: taskNamedIn(record.envelope) };
  });
  return {
    items: items.filter((item) => item !== undefined),
    next: page.length < limit ? undefined : page.at(-1),
  };
}

async function placesIn(
  connection: RedisConnection,
  index: string,
  { first = 'newest', after, untilMs, limit = 100 }: DeadLetterQuery,
): Promise<DeadLetterPlace[]> {
  const newest = first === 'newest';
  const end = String(untilMs ?? '+inf');
  const from = String(after?.finishedAtMs ?? (newest ? end : '-inf'));
  // Those of the same millisecond come again, up to the one that was seen last.
  const seen = after ? ((await connection.command('ZCOUNT', index, from, from)) as number) : 0;
  const range = [index, from, newest ? '-inf' : end, 'WITHSCORES', 'LIMIT', '0', String(limit + seen)];
  const flat = (await connection.command(newest ? 'ZREVRANGEBYSCORE' : 'ZRANGEBYSCORE', ...range)) as string[];
  const places = pairs(flat).map(([jobId, score]) => ({ jobId, finishedAtMs: Number(score) }));
  if (!after) return places;
  return places.filter((place) => (newest ? isOlder(place, after) : isOlder(after, place)));
}

/** The order of dead letters, which is total: of the same millisecond, the id decides. */
function isOlder(a: DeadLetterPlace, b: DeadLetterPlace): boolean {
  return a.finishedAtMs < b.finishedAtMs || (a.finishedAtMs === b.finishedAtMs && a.jobId < b.jobId);
}
