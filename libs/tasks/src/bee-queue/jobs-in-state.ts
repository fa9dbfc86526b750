import type { JobRecord, JobState } from '../job.ts';
import type { RedisConnection } from './redis-connection.ts';

/** The states whose jobs stand in an index. Those that have completed or were cancelled are found by their subject only. */
export type IndexedState = Exclude<JobState, 'completed' | 'cancelled'>;

const INDEX: Readonly<Record<IndexedState, string>> = {
  waiting: 'waiting',
  scheduled: 'delayed',
  running: 'leases',
  blocked: 'blocked',
  parked: 'parked',
  dead: 'dead',
};

/** See {@link IndexedState}. */
export const INDEXED_STATES = Object.keys(INDEX) as readonly IndexedState[];

/** Which jobs of a queue are asked for. */
export interface StateQuery {
  readonly queue: string;
  readonly state: IndexedState;
  /** How many to pass over: the `next` of the page before. */
  readonly from: number;
  /** Which of them. */
  readonly fits: (job: JobRecord) => boolean;
  /** Most to give. */
  readonly limit: number;
  /** Most to look at. */
  readonly most: number;
}

/** Some jobs in one state, those first that came first or are due first. */
export interface StatePage {
  /** May be fewer than asked for, although there are more: no more were looked at. */
  readonly items: readonly JobRecord[];
  /** For {@link StateQuery.from}; undefined when there are no more. */
  readonly next: number | undefined;
}

const AT_ONCE = 100;

/** Reads a page; see RedisBackend.jobsIn. */
export async function readJobsIn(
  connection: RedisConnection,
  root: string,
  { queue, state, from, fits, limit, most }: StateQuery,
  readJob: (jobId: string) => Promise<JobRecord | undefined>,
): Promise<StatePage> {
  const index = `${root}q:${queue}:${INDEX[state]}`;
  const items: JobRecord[] = [];
  for (let first = from; first < from + most; first += AT_ONCE) {
    const ids = await idsIn(connection, index, state, first);
    const records = await Promise.all(ids.map((id) => readJob(id)));
    for (const [i, record] of records.entries()) {
      // One that has moved on since stands elsewhere.
      if (record?.state !== state || !fits(record)) continue;
      items.push(record);
      if (items.length === limit) return { items, next: first + i + 1 };
    }
    if (ids.length < AT_ONCE) return { items, next: undefined };
  }
  return { items, next: from + most };
}

async function idsIn(
  connection: RedisConnection,
  index: string,
  state: IndexedState,
  first: number,
): Promise<readonly string[]> {
  const last = first + AT_ONCE - 1;
  if (state !== 'waiting') return (await connection.command('ZRANGE', index, String(first), String(last))) as string[];
  // The oldest are at the right.
  const ids = (await connection.command('LRANGE', index, String(-1 - last), String(-1 - first))) as string[];
  return ids.reverse();
}
