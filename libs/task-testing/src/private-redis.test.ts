import { silentLogger } from '@coordinator/logging';
import { RedisBackend, RedisConnection, TaskCatalog, TaskQueue, defineTask } from '@coordinator/tasks';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { privateRedis } from './private-redis.ts';

const redis = privateRedis();
const tooEarly = errorOf(() => redis.url);
afterAll(() => {
  expect(redis.heldLeases).toEqual([
    expect.stringMatching(/^a test that .* behind: \{test-\d+\}:q:lms:leases [\w-]+$/),
  ]);
});

const connections: RedisConnection[] = [];
afterEach(() => connections.splice(0).forEach((connection) => connection.close()));

const enrol = defineTask({ name: 'lms.enrol', payload: z.strictObject({}) });

test('a test that settles nothing leaves its lease behind', async () => {
  const connection = new RedisConnection({ url: redis.url, log: silentLogger });
  connections.push(connection);
  await connection.connect();
  const keyPrefix = redis.freshPrefix();
  const backend = new RedisBackend(connection, { keyPrefix });
  const catalog = new TaskCatalog([{ task: enrol, queue: 'lms' }]);
  const queue = new TaskQueue({ backend, catalog, routeEvent: () => [], release: 'test' });
  const { jobId } = await queue.enqueue(enrol, {});
  await redis.command('RPOPLPUSH', `${keyPrefix}:q:lms:waiting`, `${keyPrefix}:q:lms:active`);
  expect(await backend.claim('lms', jobId, 60_000)).toMatchObject({ attempt: 1 });
});

describe('a private Redis', () => {
  test('can be used in tests and hooks only', () => {
    expect(tooEarly).toContain('inside a test or hook');
  });

  test('is empty before every test', async () => {
    expect(await redis.command('DBSIZE')).toBe(0);
    await redis.command('SET', 'left', 'over');
  });

  test('really is', async () => {
    expect(await redis.command('EXISTS', 'left')).toBe(0);
  });

  test('gives prefixes that nobody has used', () => {
    expect(redis.freshPrefix()).not.toBe(redis.freshPrefix());
  });

  test('survives being killed and started again', async () => {
    await redis.server.kill();
    await redis.server.restart();
    expect(await redis.command('PING')).toBe('PONG');
  });
});

function errorOf(run: () => unknown): string {
  try {
    return String(run());
  } catch (error) {
    return (error as Error).message;
  }
}
