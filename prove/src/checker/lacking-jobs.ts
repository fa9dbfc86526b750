import { silentLogger } from '@coordinator/logging';
import type { RedisServer } from '@coordinator/task-testing';
import { RedisConnection } from '@coordinator/tasks';

/** Those of the jobs that a Redis has no record of. It is stopped then. */
export async function lackingJobs(redis: RedisServer, jobIds: readonly string[]): Promise<string[]> {
  const connection = new RedisConnection({ url: redis.url, log: silentLogger, commandDeadlineMs: 5_000 });
  try {
    await connection.connect();
    const found = await Promise.all(jobIds.map((id) => connection.command('EXISTS', `{cc}:job:${id}`)));
    return jobIds.filter((_, i) => found[i] !== 1);
  } finally {
    connection.close();
    await redis.stop();
  }
}
