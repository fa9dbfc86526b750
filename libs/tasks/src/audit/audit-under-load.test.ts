import { silentLogger } from '@coordinator/logging';
import { eventually, leakChecks, privateRedis } from '@coordinator/task-testing';
import { afterEach, expect, test } from '@jest/globals';
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { RedisBackend } from '../bee-queue/redis-backend.ts';
import { RedisConnection } from '../bee-queue/redis-connection.ts';
import { TaskCatalog } from '../task-catalog.ts';
import { TaskQueue } from '../task-queue.ts';
import { TaskWorker } from '../task-worker.ts';
import { defineTask } from '../task.ts';
import { audit, type AuditReport } from './audit.ts';

const ship = defineTask({ name: 'warehouse.ship', payload: z.strictObject({ n: z.int() }), backoff: () => 1 });

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
const redis = privateRedis();
leakChecks(redis);

async function connected(): Promise<RedisConnection> {
  const connection = new RedisConnection({ url: redis.url, log: silentLogger, commandDeadlineMs: 5_000 });
  await connection.connect();
  closing.push(() => connection.close());
  return connection;
}

test('an audit takes nothing that moves for a fault: workers at full speed, with retries, lanes and children', async () => {
  const keyPrefix = redis.freshPrefix();
  const backend = new RedisBackend(await connected(), { keyPrefix });
  const catalog = new TaskCatalog([{ task: ship, queue: 'warehouse' }]);
  const common = { backend, catalog, routeEvent: () => [], release: 'test', log: silentLogger };
  const queue = new TaskQueue(common);
  let begun = 0;
  for (let i = 0; i < 2; i += 1) {
    const worker = new TaskWorker({
      ...{ ...common, redisUrl: redis.url, queues: ['warehouse'], concurrency: 20, leaseMs: 5_000 },
      handlerOf: () => async (payload, context) => {
        const { n } = payload as { n: number };
        begun += 1;
        if (n % 5 === 0 && context.attempt === 1) throw new Error('boom');
        if (n % 7 === 0) context.enqueue(ship, { n: n + 1 }, { lane: `child:${n % 3}` });
      },
    });
    worker.start();
    closing.push(() => worker.drain(1_000));
  }

  let accepting = true;
  let accepted = 0;
  const traffic = (async () => {
    while (accepting) {
      // More than the workers can do in a moment, and not more and more.
      if (accepted - begun > 500) {
        await setImmediate();
        continue;
      }
      const batch = Array.from({ length: 50 }, (_, i) => {
        const n = accepted + i;
        return { task: ship, payload: { n }, options: n % 4 === 0 ? { lane: `order:${n % 6}` } : {} };
      });
      accepted += (await queue.enqueueAll(batch)).length;
    }
  })();
  const auditor = await connected();
  const reports: AuditReport[] = [];
  for (let i = 0; accepted < 2_000; i += 1) reports.push(await audit(auditor, { keyPrefix, repair: i % 2 === 1 }));
  accepting = false;
  await traffic;
  expect(reports.flatMap(({ faults }) => faults)).toEqual([]);
  expect(reports.filter(({ balanced }) => !balanced)).toEqual([]);
  expect(reports.length).toBeGreaterThan(10);
  await eventually(
    async () =>
      expect((await audit(auditor, { keyPrefix })).queues[0]).toMatchObject({ waiting: 0, scheduled: 0, running: 0 }),
    { deadlineMs: 60_000 },
  );
}, 90_000);
