import { silentLogger } from '@coordinator/logging';
import type { RedisServer } from '@coordinator/task-testing';
import { RedisConnection } from '@coordinator/tasks';

/** How many of the jobs a Redis has no record of. It is stopped then. */
export async function lackingJobs(redis: RedisServer, jobIds: readonly string[]): Promise<number> {
  const connection = new RedisConnection({ url: redis.url, log: silentLogger, commandDeadlineMs: 5_000 });
  try {
    await connection.connect();
    const found = await Promise.all(jobIds.map((id) => connection.command('EXISTS', `{cc}:job:${id}`)));
    return found.filter((one) => one !== 1).length;
  } finally {
    connection.close();
    await redis.stop();
  }
}
