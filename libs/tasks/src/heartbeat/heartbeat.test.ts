import { eventually, leakChecks, privateRedis, RecordingLog } from '@coordinator/task-testing';
import { afterEach, expect, test } from '@jest/globals';
import { z } from 'zod';
import { RedisBackend } from '../bee-queue/redis-backend.ts';
import { RedisConnection } from '../bee-queue/redis-connection.ts';
import { defineTask, type AnyTask, type TaskHandler } from '../task.ts';
import { TaskCatalog } from '../task-catalog.ts';
import { TaskQueue } from '../task-queue.ts';
import { TaskWorker } from '../task-worker.ts';

const ship = defineTask({ name: 'warehouse.ship', payload: z.strictObject({ n: z.int() }) });
const later = defineTask({ name: 'warehouse.later', payload: z.strictObject({}) });

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
const redis = privateRedis();
leakChecks(redis);

test('keeps the leases of a queue while the index of another is damaged', async () => {
  const log = new RecordingLog();
  const connection = new RedisConnection({ url: redis.url, log });
  await connection.connect();
  closing.push(() => connection.close());
  const backend = new RedisBackend(connection, { keyPrefix: redis.freshPrefix() });
  const catalog = new TaskCatalog([
    { task: later, queue: 'a' },
    { task: ship, queue: 'b' },
  ]);
  const common = { backend, catalog, routeEvent: () => [], release: 'test', log };
  let end = () => undefined as void;
  const ended = new Promise<void>((resolve) => (end = resolve));
  let attempts = 0;
  const handler: TaskHandler<AnyTask> = async () => {
    attempts += 1;
    await ended;
  };
  const options = { ...common, redisUrl: redis.url, queues: ['a', 'b'], concurrency: 1, leaseMs: 900 };
  const worker = new TaskWorker({ ...options, handlerOf: () => handler });
  worker.start();
  closing.push(() => worker.drain(0));
  const queue = new TaskQueue(common);
  await queue.enqueue(later, {});
  const { jobId } = await queue.enqueue(ship, { n: 1 });
  await eventually(() => expect(attempts).toBe(2));
  await redis.command('DEL', `${backend.keyPrefix}:q:a:leases`);
  await redis.command('SET', `${backend.keyPrefix}:q:a:leases`, 'garbage');
  const [from] = (await redis.command('TIME')) as [string];
  await eventually(async () =>
    expect(Number(((await redis.command('TIME')) as [string])[0]) - Number(from)).toBeGreaterThan(2),
  );
  expect(await backend.job(jobId)).toMatchObject({ state: 'running', attempt: 1 });
  await redis.command('DEL', `${backend.keyPrefix}:q:a:leases`);
  end();
  await eventually(() => expect(worker.running).toBe(0));
});
