import type { Keyspace } from './keyspace.ts';

/** How many jobs of a queue were accepted since its beginning, and where they are at one moment. */
export interface QueueBooks {
  readonly queue: string;
  readonly accepted: number;
  readonly waiting: number;
  readonly scheduled: number;
  readonly running: number;
  readonly blocked: number;
  readonly parked: number;
  readonly completed: number;
  readonly dead: number;
  readonly cancelled: number;
  /** Accepted less all others: 0 when the books balance, negative when jobs are in more places than one. */
  readonly missing: number;
}

/** Reads the books of a queue, atomically; `open` makes them begin with what is there. */
export async function readBooks(keys: Keyspace, queue: string, open = false): Promise<QueueBooks> {
  const numbers = (await keys.run('auditBooks', [queue, open ? '1' : '0'])) as number[];
  const [accepted = 0, waiting = 0, scheduled = 0, running = 0, blocked = 0] = numbers;
  const [parked = 0, completed = 0, dead = 0, cancelled = 0] = numbers.slice(5);
  const there = waiting + scheduled + running + blocked + parked + completed + dead + cancelled;
  const states = { waiting, scheduled, running, blocked, parked, completed, dead, cancelled };
  return { queue, accepted, ...states, missing: accepted - there };
}
