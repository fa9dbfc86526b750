import type { BenchProcess } from './bench-process.ts';
import type { BenchRedis } from './bench-redis.ts';

/** CPU time that one request or one job has cost in one window, in microseconds. */
export interface Measurement {
  /** In the process that is measured: user and system, all its threads. */
  readonly nodeUs: number;
  /** In Redis. */
  readonly redisUs: number;
}

/** Runs `work`, which has `count` requests or jobs served by `process`, and measures what each has cost. */
export async function measure(
  process: BenchProcess,
  redis: BenchRedis,
  count: number,
  work: () => Promise<unknown>,
): Promise<Measurement> {
  const redisBefore = await redis.cpuMicros();
  const nodeBefore = await process.cpuMicros();
  await work();
  const nodeUs = ((await process.cpuMicros()) - nodeBefore) / count;
  const redisUs = ((await redis.cpuMicros()) - redisBefore) / count;
  return { nodeUs, redisUs };
}
