import { coreConfig, readConfig } from '@coordinator/config';
import { silentLogger } from '@coordinator/logging';
import {
  defineTask,
  PayloadCipher,
  RedisBackend,
  RedisConnection,
  TaskCatalog,
  TaskQueue,
  TaskWorker,
} from '@coordinator/tasks';
import { startTracing } from '@coordinator/tracing';
import { z } from 'zod';
import { orderExample } from '@coordinator/tools';
import { CONCURRENCY } from './concurrency.ts';
import { measuredWorker } from './measured-worker.ts';

const redisUrl = process.env.REDIS_URL ?? '';
const release = '0.0.0';
// The traced and the untraced worker are up at the same time and must not take each other's jobs.
const queueName = `bench-${process.pid}`;
const log = silentLogger;

const line = z.strictObject({
  lineId: z.string(),
  kind: z.string(),
  sku: z.string(),
  mode: z.string(),
  quantity: z.int(),
  unitPriceMinor: z.int(),
});
const task = defineTask({
  name: 'bench.work',
  payload: z.strictObject({
    orderNumber: z.string(),
    currency: z.string(),
    customer: z.strictObject({ id: z.string(), username: z.string(), email: z.string() }),
    lines: z.array(line),
  }),
});

startTracing({ service: 'bench-worker', release });
const connection = new RedisConnection({ url: redisUrl, log });
const { PAYLOAD_KEYS } = readConfig([coreConfig.pick({ PAYLOAD_KEYS: true })]);
const backend = new RedisBackend(connection, { cipher: new PayloadCipher(PAYLOAD_KEYS) });
const catalog = new TaskCatalog([{ task, queue: queueName }]);
const routeEvent = () => [];
const queue = new TaskQueue({ backend, catalog, routeEvent, release });
let begun = 0;
let worker: TaskWorker | undefined;

measuredWorker({
  enqueue: (numbers) =>
    queue.enqueueAll(
      numbers.map((number) => ({
        task,
        payload: orderExample(`W-${number}`),
        options: { subject: `order:W-${number}`, idempotencyKey: `${queueName}:${number}` },
      })),
    ),
  start: async (handler) => {
    await connection.connect();
    const handlerOf = () => async () => {
      begun += 1;
      await handler();
    };
    const options = { backend, catalog, routeEvent, release, log, handlerOf, redisUrl };
    worker = new TaskWorker({ ...options, queues: [queueName], concurrency: CONCURRENCY, leaseMs: 30_000 });
    worker.start();
  },
  ended: () => begun - (worker?.running ?? 0),
});
