import { join } from 'node:path';
import { BenchProcess } from '../bench-process.ts';
import type { BenchRedis } from '../bench-redis.ts';
import { interleave, type RoundsOptions, type Series } from '../rounds.ts';
import type { TraceSink } from '../trace-sink.ts';
import { startServer } from './accept-server.ts';
import { AcceptVariant } from './accept-variant.ts';
import { ourEnvironment, OUR_FLAGS, OUR_SCRIPT } from './our-api.ts';

/** Settings of the benchmark of acceptance. */
export interface AcceptOptions extends RoundsOptions {
  readonly redis: BenchRedis;
  readonly sink: TraceSink;
  /** Requests per window. */
  readonly requests: number;
  /** Flags of node for the processes that are measured. */
  readonly flags: readonly string[];
}

/** The names of the variants, as the tables call them. */
export const ACCEPT = {
  ours: 'ours, tracing off',
  traced: 'ours, tracing on',
  bare: 'Express + bee-queue',
  checked: 'the same with our checks',
  bullmq: 'Express + BullMQ',
} as const;

/** CPU per accepted `POST /v1/orders`, beside servers that do less. */
export async function benchmarkAccept(options: AcceptOptions): Promise<Series[]> {
  const { redis, sink, flags } = options;
  const loader = new BenchProcess({ name: 'load', script: join(__dirname, 'load') });
  const api = { ...(await ourEnvironment()), LOG_LEVEL: 'warn' };

  const ours = async (name: string, spansTo?: TraceSink) => {
    const env = { ...api, ...spansTo?.env, REDIS_URL: redis.url };
    const server = await startServer(name, OUR_SCRIPT, env, [...OUR_FLAGS, ...flags]);
    return new AcceptVariant({ ...options, name, server, loader, spansTo });
  };
  const other = async (name: string, script: string) => {
    const server = await startServer(name, join(__dirname, script), { REDIS_URL: redis.url }, flags);
    return new AcceptVariant({ ...options, name, server, loader, spansTo: undefined });
  };
  const variants = [
    await ours(ACCEPT.ours),
    await ours(ACCEPT.traced, sink),
    await other(ACCEPT.bare, 'bare-server'),
    await other(ACCEPT.checked, 'checked-server'),
    await other(ACCEPT.bullmq, 'bullmq-server'),
  ];
  const series = await interleave(variants, options);
  // What has been measured is to be quiet while other things are.
  await Promise.all([loader, ...variants].map((part) => part.stop()));
  return series;
}
