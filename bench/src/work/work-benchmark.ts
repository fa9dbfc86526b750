import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { BenchProcess } from '../bench-process.ts';
import type { BenchRedis } from '../bench-redis.ts';
import { interleave, type RoundsOptions, type Series } from '../rounds.ts';
import type { TraceSink } from '../trace-sink.ts';
import { WorkVariant } from './work-variant.ts';

/** Settings of the benchmark of work. */
export interface WorkOptions extends RoundsOptions {
  readonly redis: BenchRedis;
  readonly sink: TraceSink;
  /** Jobs per window. */
  readonly jobs: number;
  /** Flags of node for the processes that are measured. */
  readonly flags: readonly string[];
}

/** The names of the variants, as the tables call them. */
export const WORK = {
  ours: 'ours, tracing off',
  encrypted: 'ours, encrypted',
  traced: 'ours, tracing on',
  bee: 'bee-queue',
  bullmq: 'BullMQ',
} as const;

/** CPU per job of a worker whose handler does nothing, beside workers that promise less. */
export async function benchmarkWork(options: WorkOptions): Promise<Series[]> {
  const { redis, sink, flags } = options;
  await redis.empty();
  const variant = (name: string, script: string, env: NodeJS.ProcessEnv = {}, spansTo?: TraceSink) => {
    const worker = new BenchProcess({
      name,
      script: join(__dirname, script),
      env: { ...env, REDIS_URL: redis.url },
      flags,
    });
    return new WorkVariant({ ...options, name, worker, spansTo });
  };
  const variants = [
    variant(WORK.ours, 'our-worker'),
    variant(WORK.encrypted, 'our-worker', { PAYLOAD_KEYS: `k1=${randomBytes(32).toString('base64')}` }),
    variant(WORK.traced, 'our-worker', sink.env, sink),
    variant(WORK.bee, 'bee-worker'),
    variant(WORK.bullmq, 'bullmq-worker'),
  ];
  const series = await interleave(variants, options);
  await Promise.all(variants.map((one) => one.stop()));
  return series;
}
