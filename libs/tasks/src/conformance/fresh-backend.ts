import { silentLogger } from '@coordinator/logging';
import { RedisBackend } from '../bee-queue/redis-backend.ts';
import { RedisConnection } from '../bee-queue/redis-connection.ts';

/** A backend on a real Redis, and what lies under it. */
export interface FreshBackend {
  readonly backend: RedisBackend;
  /** To be closed when the test is over. */
  readonly connection: RedisConnection;
  /** What its keys begin with, and those of no other test. */
  readonly prefix: string;
  /** What bee-queue's BRPOPLPUSH does, without waiting. */
  pop(queue: string): Promise<string | undefined>;
}

/** Connects to the Redis of a test file, and makes a backend whose keys nobody has used yet. */
export async function freshBackend(redis: { readonly url: string; freshPrefix(): string }): Promise<FreshBackend> {
  const connection = new RedisConnection({ url: redis.url, log: silentLogger, commandDeadlineMs: 5_000 });
  await connection.connect();
  const prefix = redis.freshPrefix();
  const pop = async (queue: string) => {
    const [waiting, active] = [`${prefix}:q:${queue}:waiting`, `${prefix}:q:${queue}:active`];
    return ((await connection.command('RPOPLPUSH', waiting, active)) as string | null) ?? undefined;
  };
  return { backend: new RedisBackend(connection, { keyPrefix: prefix }), connection, prefix, pop };
}
