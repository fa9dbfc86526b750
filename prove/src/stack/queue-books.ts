/** How many jobs of a queue are in each state. */
export interface QueueBooks {
  readonly accepted: number;
  readonly waiting: number;
  readonly scheduled: number;
  readonly running: number;
  readonly blocked: number;
  readonly parked: number;
  readonly completed: number;
  readonly dead: number;
  readonly cancelled: number;
}

/** One script, so that all figures are of one moment. An id that was popped and not claimed yet still waits. */
const READ = `
local q = KEYS[1] .. 'q:' .. ARGV[1] .. ':'
local counts = {}
for i, v in ipairs(redis.call('HMGET', q .. 'counts', 'accepted', 'completed', 'dead', 'cancelled')) do
  counts[i] = tonumber(v or 0) or -1
end
local running, popped = 0, 0
for _, id in ipairs(redis.call('LRANGE', q .. 'active', 0, -1)) do
  if redis.call('HGET', KEYS[1] .. 'job:' .. id, 'state') == 'running' then running = running + 1 else popped = popped + 1 end
end
return { counts[1], redis.call('LLEN', q .. 'waiting') + popped, redis.call('ZCARD', q .. 'delayed'), running,
  redis.call('ZCARD', q .. 'blocked'), redis.call('ZCARD', q .. 'parked'), counts[2], counts[3], counts[4] }`;

/**
 * Reads the books of a queue from the keys of docs/reference/lifecycle.md. The engine's own audit is held against the same
 * keys when a proof ends: two readings find more than one. @param command runs one Redis command
 */
export async function queueBooks(command: (...args: string[]) => Promise<unknown>, queue: string): Promise<QueueBooks> {
  const figures = (await command('EVAL', READ, '1', '{cc}:', queue)) as number[];
  const [accepted = 0, waiting = 0, scheduled = 0, running = 0, blocked = 0] = figures;
  const [parked = 0, completed = 0, dead = 0, cancelled = 0] = figures.slice(5);
  return { accepted, waiting, scheduled, running, blocked, parked, completed, dead, cancelled };
}

/** Accepted jobs that are in no state, or when negative, in more than one; 0 where the books balance. */
export function missing({ accepted, ...states }: QueueBooks): number {
  return accepted - Object.values(states).reduce((sum, count) => sum + count, 0);
}

/** Jobs that are yet to end. */
export function open({ waiting, scheduled, running, blocked, parked }: QueueBooks): number {
  return waiting + scheduled + running + blocked + parked;
}
