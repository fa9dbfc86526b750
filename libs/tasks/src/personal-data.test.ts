import { Secret } from '@coordinator/config';
import { createLogger, noPii, pii } from '@coordinator/logging';
import {
  eventually,
  leakChecks,
  recordSpans,
  runTask,
  startRedis,
  type SpanRecording,
} from '@coordinator/task-testing';
import { afterEach, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { RedisBackend } from './bee-queue/redis-backend.ts';
import { RedisConnection } from './bee-queue/redis-connection.ts';
import { PayloadCipher } from './payload-cipher.ts';
import { defineTask, type AnyTask, type TaskHandler } from './task.ts';
import { TaskCatalog } from './task-catalog.ts';
import { TaskQueue } from './task-queue.ts';
import { TaskWorker } from './task-worker.ts';

leakChecks();

/** What must not be found anywhere: three have a look of their own, the others are known by the marks of the schema. */
const CANARIES = {
  email: 'canary.ada@example.test',
  card: '4111111111111111',
  token: 'cAnArY-0123456789abcdef',
  name: 'Canary Birdwood',
  number: 'canary no. 7',
} as const;
const payload = z.strictObject({
  email: pii(z.string(), 'email_address', 'local_api'),
  name: pii(z.string(), 'name', 'local_api'),
  number: pii(z.string(), 'external_service', 'third_party'),
  ...noPii({ card: z.string(), token: z.string(), fails: z.boolean() }),
});
const pay = defineTask({ name: 'shop.pay', payload, maxAttempts: 2, backoff: () => 1 });
const inform = defineTask({ name: 'shop.inform', payload });
const catalog = new TaskCatalog([pay, inform].map((task) => ({ task, queue: 'shop' })));

const handler: TaskHandler<AnyTask> = async ({ fails, ...data }, { job, step, log, enqueue }) => {
  await step('charge', async () => data);
  const said = `charged ${data.name} (${data.email}, ${data.number}) by ${data.card} with Bearer ${data.token}`;
  log.info({ ...data, who: data.name, nested: { data, list: [data.number] } }, said);
  if (job.task === 'shop.pay') enqueue(inform, { ...data, fails });
  const { email, card, token, name, number } = data;
  const cause = new Error(`Authorization: Bearer ${token} for ${name}`);
  if (fails)
    throw new Error(`${name} (${number}, ${email}) has no card ${card}, see /of/${encodeURIComponent(name)}`, {
      cause,
    });
};

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Accepts, runs, retries, completes and gives up jobs that hold the canaries; then tells where they are found. */
async function hits(cipher: PayloadCipher) {
  // An RDB file that is compressed would hide them.
  const redis = await startRedis({ appendfsync: 'always', args: ['--rdbcompression', 'no'] });
  closing.push(() => redis.stop());
  const spans: SpanRecording = recordSpans();
  closing.push(() => spans.stop());
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const log = createLogger({ service: 'test', release: 'test', level: 'debug', destination });
  const connection = new RedisConnection({ url: redis.url, log });
  await connection.connect();
  closing.push(() => connection.close());

  const backend = new RedisBackend(connection, { cipher });
  const common = { backend, catalog, routeEvent: () => [], release: 'test' };
  const queue = new TaskQueue(common);
  const requests = [true, false].map((fails) => {
    const options = { subject: 'order:D-1001', idempotencyKey: `evt_${fails}` };
    return { task: pay, payload: { ...CANARIES, fails }, options };
  });
  await queue.enqueueAll(requests);
  await connection.command('SAVE');
  await queue.enqueueAll(requests);
  const worker = new TaskWorker({
    ...{ ...common, log, redisUrl: redis.url, queues: ['shop'] },
    ...{ concurrency: 5, leaseMs: 1_000, handlerOf: () => handler },
  });
  worker.start();
  closing.push(() => worker.drain(0));
  const shown = async () => (await backend.jobsOf('order:D-1001')).items;
  await eventually(async () =>
    expect((await shown()).map(({ state }) => state).sort()).toEqual(['completed', 'completed', 'dead']),
  );

  const places = {
    disk: filesOf(redis.dir),
    log: lines.join(''),
    spans: JSON.stringify(spans.spans()),
    // Results of steps are for the handler; no view shows them.
    records: JSON.stringify((await shown()).map((record) => ({ ...record, steps: record.steps.length }))),
  };
  // Each place has been written to, and is read here.
  for (const text of Object.values(places)) expect(text).toContain('shop.pay');
  return Object.entries(places).flatMap(([place, text]) =>
    Object.entries(CANARIES).flatMap(([what, canary]) => (text.includes(canary) ? [`${what} in ${place}`] : [])),
  );
}

/** Append-only file and snapshot, as they lie on the disk. */
function filesOf(dir: string): string {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  expect(files.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['dump.rdb', expect.stringMatching(/\.incr\.aof$/)]),
  );
  return files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1')).join('\n');
}

test('no personal data and no secret of a payload is found on the disk, in the log, in spans or in records', async () => {
  const keys = new Map([['k1', new Secret(randomBytes(32).toString('base64'))]]);
  expect(await hits(new PayloadCipher(keys))).toEqual([]);
});

test('without keys the payload is found on the disk, and nowhere else', async () => {
  expect(await hits(new PayloadCipher())).toEqual([
    'email in disk',
    'card in disk',
    'token in disk',
    'name in disk',
    'number in disk',
  ]);
});

test('a subject that is an e-mail address is none in a span', async () => {
  const spans = recordSpans();
  closing.push(() => spans.stop());
  await runTask(
    inform,
    async () => undefined,
    { ...CANARIES, fails: false },
    { subject: `customer:${CANARIES.email}` },
  );
  expect(JSON.stringify(spans.spans())).toContain('customer:[redacted]');
  expect(JSON.stringify(spans.spans())).not.toContain(CANARIES.email);
});

test('a payload that its schema refuses ends its job with a message that holds none of it', async () => {
  const quoting = { error: ({ input }: { input?: unknown }) => `"${String(input)}" is no name` };
  const strict = z.strictObject({
    name: pii(
      z.string().refine((text) => text !== CANARIES.name, quoting),
      'name',
      'retained',
    ),
  });
  const greet = defineTask({ name: 'shop.greet', payload: strict });
  const refused = runTask(greet, async () => undefined, { name: CANARIES.name });
  await expect(refused).rejects.toThrow('The payload of shop.greet is invalid: name: "[redacted]" is no name');
});
