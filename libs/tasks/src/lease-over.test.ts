import { afterEach, expect, test } from '@jest/globals';
import { eventually, leakChecks, privateRedis, RecordingLog } from '@coordinator/task-testing';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { z } from 'zod';
import { RedisBackend } from './bee-queue/redis-backend.ts';
import { RedisConnection } from './bee-queue/redis-connection.ts';
import { defineTask, type AnyTask, type TaskHandler } from './task.ts';
import { TaskCatalog } from './task-catalog.ts';
import { TaskQueue } from './task-queue.ts';
import { TaskWorker } from './task-worker.ts';

const LEASE_MS = 1_500;
const ship = defineTask({ name: 'warehouse.ship', payload: z.strictObject({}) });
const catalog = new TaskCatalog([{ task: ship, queue: 'warehouse' }]);

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
const redis = privateRedis();
leakChecks(redis);

/** A queue that reaches Redis by a URL of its own. */
async function queueAt(keyPrefix: string, redisUrl: string) {
  const log = new RecordingLog();
  const connection = new RedisConnection({ url: redisUrl, log });
  await connection.connect();
  closing.push(() => connection.close());
  const backend = new RedisBackend(connection, { keyPrefix });
  const common = { backend, catalog, routeEvent: () => [], release: 'test', log };
  return { common, backend, queue: new TaskQueue(common) };
}

/** The same with a worker on it. */
async function start(keyPrefix: string, redisUrl: string, handler: TaskHandler<AnyTask>) {
  const { common, backend, queue } = await queueAt(keyPrefix, redisUrl);
  const options = { ...common, redisUrl, queues: ['warehouse'], concurrency: 1, leaseMs: LEASE_MS };
  const worker = new TaskWorker({ ...options, handlerOf: () => handler });
  worker.start();
  closing.push(() => worker.drain(0));
  return { backend, log: common.log, queue, worker };
}

/** A worker takes seconds to start where others use the processor. */
const soon = (check: () => unknown) => eventually(check, { deadlineMs: 60_000 });

/** A way to Redis that can be cut. */
async function wayToRedis() {
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((near) => {
    if (isCut) return void near.destroy();
    const far = connect(Number(new URL(redis.url).port), '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => undefined);
      one.on('close', () => other.destroy());
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => void server.close());
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut: () => {
      isCut = true;
      for (const socket of sockets) socket.destroy();
    },
    mend: () => void (isCut = false),
  };
}

/** A handler that begins, and goes on until it is told to stop. */
function untilTold(told: (what: string) => void): TaskHandler<AnyTask> {
  return (_payload, { signal }) =>
    new Promise((_resolve, reject) => {
      told('begins');
      signal.addEventListener('abort', () => {
        told(`stops: ${(signal.reason as { code: string }).code}`);
        reject(new Error('stopped'));
      });
    });
}

test('a worker that alone is cut off stops an attempt before another one begins the next', async () => {
  const events: string[] = [];
  const keyPrefix = redis.freshPrefix();
  const way = await wayToRedis();
  const lonely = await start(
    keyPrefix,
    way.url,
    untilTold((what) => events.push(`lonely ${what}`)),
  );
  const { jobId } = await lonely.queue.enqueue(ship, {});
  await soon(() => expect(events).toEqual(['lonely begins']));
  const begunAt = performance.now();
  const other = await start(keyPrefix, redis.url, async () => void events.push('the other begins'));
  // The one cannot take it, so the other is there when it is done.
  const { jobId: first } = await other.queue.enqueue(ship, {});
  await soon(async () => expect(await other.backend.job(first)).toMatchObject({ state: 'completed' }));
  // Renewed in time, an attempt may take as long as it likes.
  await soon(() => expect(performance.now() - begunAt).toBeGreaterThan(2 * LEASE_MS));
  expect(events.splice(1)).toEqual(['the other begins']);

  way.cut();
  await soon(async () => expect(await other.backend.job(jobId)).toMatchObject({ state: 'completed', attempt: 2 }));
  expect(events).toEqual(['lonely begins', 'lonely stops: COORD_LEASE_LOST', 'the other begins']);

  way.mend();
  await soon(() => expect(lonely.worker.running).toBe(0));
  const lost = { message: expect.stringContaining('lease lost') };
  expect(lonely.log.lines).toContainEqual(expect.objectContaining(lost));
  expect(await other.backend.job(jobId)).toMatchObject({ state: 'completed', attempt: 2 });
}, 180_000);

test('one whose lease ran out while Redis was away for all is not spent, and what its step did is kept', async () => {
  let packed = 0;
  let runs = 0;
  const { backend, queue } = await start(redis.freshPrefix(), redis.url, async (_payload, { step }) => {
    runs += 1;
    await step('pack', async () => {
      packed += 1;
      redis.server.pause();
    });
    await step('ship', async () => undefined);
  });
  closing.push(() => redis.server.resume());
  const { jobId } = await queue.enqueue(ship, {});
  await soon(() => expect(packed).toBe(1));
  const awayAt = performance.now();
  await soon(() => expect(performance.now() - awayAt).toBeGreaterThan(LEASE_MS * 1.5));
  redis.server.resume();
  await soon(async () => expect(await backend.job(jobId)).toMatchObject({ state: 'completed', attempt: 1 }));
  expect([packed, runs]).toEqual([1, 2]);
}, 180_000);

test('one that ended while Redis was away for longer than its lease is completed, and not begun again', async () => {
  let runs = 0;
  const { backend, queue, log } = await start(redis.freshPrefix(), redis.url, async () => {
    runs += 1;
    redis.server.pause();
  });
  closing.push(() => redis.server.resume());
  const { jobId } = await queue.enqueue(ship, {});
  await soon(() => expect(runs).toBe(1));
  const awayAt = performance.now();
  await soon(() => expect(performance.now() - awayAt).toBeGreaterThan(LEASE_MS * 1.5));
  redis.server.resume();
  await soon(async () => expect(await backend.job(jobId)).toMatchObject({ state: 'completed', attempt: 1 }));
  expect(runs).toBe(1);
  expect(log.lines).not.toContainEqual(expect.objectContaining({ message: expect.stringContaining('lease lost') }));
}, 180_000);

test('jobs of a worker that was the only one begin again half a lease after it is back', async () => {
  const keyPrefix = redis.freshPrefix();
  const { backend, queue } = await queueAt(keyPrefix, redis.url);
  const key = (part: string) => `${keyPrefix}:q:warehouse:${part}`;
  const nowMs = async () => {
    const [seconds, micros] = (await redis.command('TIME')) as [string, string];
    return Number(seconds) * 1_000 + Number(micros) / 1_000;
  };
  const look = () => backend.recover('warehouse', { graceMs: 60_000, crashLimit: 3, outageMs: LEASE_MS / 2 });
  const { jobId } = await queue.enqueue(ship, {});
  await redis.command('RPOPLPUSH', key('waiting'), key('active'));
  await backend.claim('warehouse', jobId, LEASE_MS);
  const passLease = () => redis.command('ZADD', key('leases'), '1', jobId);

  await passLease();
  await redis.command('SET', key('kept'), '1');
  const before = await nowMs();
  expect(await look()).toEqual([]);
  const endsAt = Number(await redis.command('ZSCORE', key('leases'), jobId));
  expect(endsAt).toBeGreaterThanOrEqual(Math.floor(before + LEASE_MS / 2));
  expect(endsAt).toBeLessThanOrEqual((await nowMs()) + LEASE_MS / 2);

  await passLease();
  expect(await look()).toMatchObject([{ jobId, state: 'waiting' }]);
});
