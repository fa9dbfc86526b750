import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import {
  defineTask,
  RedisBackend,
  RedisConnection,
  TaskCatalog,
  TaskQueue,
  TaskWorker,
  type AnyTask,
  type TaskHandler,
} from '@coordinator/tasks';
import { eventually, privateRedis, RecordingLog } from '@coordinator/task-testing';
import { z } from 'zod';
import { DownstreamClient } from './downstream-client.ts';
import type { DownstreamOptions } from './downstream-options.ts';
import { shareDownstreams } from './share-downstreams.ts';

const CONCURRENCY = 20;
const call = defineTask({
  name: 'shop.call',
  payload: z.strictObject({ service: z.int(), n: z.int() }),
  maxAttempts: 3,
  backoff: (attempt) => 100 * attempt,
});

interface Service {
  readonly server: Server;
  readonly client: DownstreamClient;
  /** When calls came, in milliseconds. */
  readonly calls: number[];
  answer: (response: ServerResponse) => void;
}

const closing: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
const redis = privateRedis();

let backend: RedisBackend;
let queue: TaskQueue;
let services: Service[];
let done: { service: number; n: number; atMs: number }[];
let attempts: number[];

beforeEach(async () => {
  services = [];
  done = [];
  attempts = [];
  const log = new RecordingLog();
  const keyPrefix = redis.freshPrefix();
  const connection = new RedisConnection({ url: redis.url, log });
  await connection.connect();
  closing.push(() => connection.close());
  closing.push(shareDownstreams({ connection, log, keyPrefix, maxConnections: CONCURRENCY / 2 }));
  backend = new RedisBackend(connection, { keyPrefix });
  const common = {
    backend,
    catalog: new TaskCatalog([{ task: call, queue: 'shop' }]),
    routeEvent: () => [],
    release: 'test',
  };
  queue = new TaskQueue(common);
  const handler: TaskHandler<typeof call> = async ({ service, n }, { attempt, signal }) => {
    attempts.push(attempt);
    await services[service]!.client.request({ method: 'POST', path: '/', idempotencyKey: `${n}`, signal });
    done.push({ service, n, atMs: performance.now() });
  };
  const worker = new TaskWorker({
    ...common,
    ...{ log, redisUrl: redis.url, queues: ['shop'] },
    ...{ concurrency: CONCURRENCY, leaseMs: 5_000, handlerOf: () => handler as TaskHandler<AnyTask> },
  });
  worker.start();
  closing.push(() => worker.drain(0));
});

async function newService(options: Partial<DownstreamOptions> = {}): Promise<Service> {
  const calls: number[] = [];
  const service: Partial<Service> & { answer: Service['answer'] } = { answer: ok };
  const server = createServer((_request, response) => {
    calls.push(performance.now());
    service.answer(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new DownstreamClient({ name: `service-${services.length}`, baseUrl, ...options });
  closing.push(async () => {
    server.closeAllConnections();
    server.close();
    await client.close();
  });
  const made = Object.assign(service, { server, client, calls }) as Service;
  services.push(made);
  return made;
}

const ok = (response: ServerResponse) => void response.end('{}');
const slow = (response: ServerResponse) => void setTimeout(() => ok(response), 20);
const failing = (response: ServerResponse) => void response.writeHead(503).end();

/** Enqueues jobs at an even pace, each service in turn, and waits until those of the healthy ones are done. */
async function load(perSecond: number, seconds: number, healthy: readonly number[]) {
  const dueAt = new Map<number, number>();
  const startedAt = performance.now();
  done = [];
  for (let n = 0; n < perSecond * seconds;) {
    // Behind time, all that is due goes at once: the load does not wait for the system.
    const due = Math.min(perSecond * seconds, Math.ceil(((performance.now() - startedAt) * perSecond) / 1_000));
    const requests = [];
    for (; n < due; n++) {
      dueAt.set(n, startedAt + (n * 1_000) / perSecond);
      requests.push({ task: call, payload: { service: n % services.length, n }, options: {} });
    }
    if (requests.length > 0) await queue.enqueueAll(requests);
    await new Promise((next) => setTimeout(next, 10));
  }
  const wanted = (perSecond * seconds * healthy.length) / services.length;
  const ofHealthy = () => done.filter(({ service }) => healthy.includes(service));
  await eventually(() => expect(ofHealthy()).toHaveLength(wanted), { deadlineMs: 20_000 });
  const tookMs = Math.max(...ofHealthy().map(({ atMs }) => atMs)) - startedAt;
  return { tookMs, medianWaitMs: median(ofHealthy().map(({ n, atMs }) => atMs - (dueAt.get(n) ?? NaN))) };
}

const median = (numbers: number[]) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;

test('a downstream that hangs leaves its nine neighbours on the same queue their throughput', async () => {
  for (let n = 0; n < 10; n++) (await newService()).answer = slow;
  const healthy = [1, 2, 3, 4, 5, 6, 7, 8, 9];
  const before = await load(200, 3, healthy);
  services[0]!.answer = () => undefined;
  const during = await load(200, 3, healthy);
  expect(before.tookMs / during.tookMs).toBeGreaterThanOrEqual(0.95);
  expect(during.medianWaitMs).toBeLessThan(before.medianWaitMs * 2 + 20);
  expect(services[0]!.calls.length).toBeLessThanOrEqual(60 + CONCURRENCY / 2);
}, 60_000);

test('a downstream that is down for a while sees no storm of retries, during or after', async () => {
  const service = await newService({ breaker: { openMs: 500, maxOpenMs: 1_000 } });
  service.answer = failing;
  const jobs = 200;
  await queue.enqueueAll(
    Array.from({ length: jobs }, (_, n) => ({ task: call, payload: { service: 0, n }, options: {} })),
  );
  const downUntil = performance.now() + 4_000;
  await eventually(() => expect(performance.now()).toBeGreaterThan(downUntil));
  const duringOutage = service.calls.length;
  service.answer = ok;
  const healedAt = performance.now();
  await eventually(() => expect(done).toHaveLength(jobs), { deadlineMs: 40_000 });

  // Those in flight as it opened, and a probe for each time that it was open: 500 ms a quarter less at least.
  expect(duringOutage).toBeLessThanOrEqual(CONCURRENCY + 5 + 4_000 / 375);
  expect(service.calls.length).toBeLessThanOrEqual(jobs * 1.1 + 4_000 / 375);
  // The open breaker spent no attempts: with three of them every job came through.
  expect(attempts.filter((attempt) => attempt > 1).length).toBeLessThan(jobs);

  const after = service.calls.filter((atMs) => atMs > healedAt);
  const buckets = new Map<number, number>();
  const firstMs = after[0]!;
  for (const atMs of after) {
    const bucket = Math.floor((atMs - firstMs) / 250);
    buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
  }
  // One straggler, put off once more, does not make the rest a storm: the time in which 95 % came counts.
  const nearlyAll = [...after].sort((a, b) => a - b)[Math.floor(after.length * 0.95)]!;
  const mean = (after.length * 0.95) / (Math.floor((nearlyAll - firstMs) / 250) + 1);
  expect(Math.max(...buckets.values())).toBeLessThanOrEqual(3 * mean);
}, 90_000);
