import { Secret } from '@coordinator/config';
import { eventually, leakChecks, privateRedis, RecordingLog } from '@coordinator/task-testing';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { hash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { PayloadCipher } from '../payload-cipher.ts';
import type { Claim } from '../queue-backend.ts';
import { defineTask, type AnyTask, type TaskHandler } from '../task.ts';
import { TaskCatalog } from '../task-catalog.ts';
import { TaskQueue } from '../task-queue.ts';
import { TaskWorker } from '../task-worker.ts';
import { RedisBackend } from './redis-backend.ts';
import { RedisConnection } from './redis-connection.ts';

const redis = privateRedis();
leakChecks(redis);

const [k1, k2] = [1, 2].map(() => new Secret(randomBytes(32).toString('base64'))) as [Secret, Secret];
const old = new PayloadCipher(new Map([['k1', k1]]));
const both = new PayloadCipher(
  new Map([
    ['k2', k2],
    ['k1', k1],
  ]),
);
const renewed = new PayloadCipher(new Map([['k2', k2]]));
const none = new PayloadCipher();

const task = defineTask({ name: 'mail.send', payload: z.strictObject({ to: z.string() }), backoff: () => 1 });
const catalog = new TaskCatalog([{ task, queue: 'mail' }]);

let connection: RedisConnection;
let prefix: string;
let log: RecordingLog;
const workers: TaskWorker[] = [];
beforeEach(async () => {
  log = new RecordingLog();
  connection = new RedisConnection({ url: redis.url, log });
  await connection.connect();
  prefix = redis.freshPrefix();
});
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.drain(0)));
  connection.close();
});

const backendWith = (cipher: PayloadCipher) => new RedisBackend(connection, { keyPrefix: prefix, cipher });
const common = (cipher: PayloadCipher) => ({
  ...{ backend: backendWith(cipher), catalog, routeEvent: () => [], release: 'test' },
});
const queueWith = (cipher: PayloadCipher) => new TaskQueue(common(cipher));
const stored = async (jobId: string, field: string) =>
  (await connection.command('HGET', `${prefix}:job:${jobId}`, field)) as string;

function work(cipher: PayloadCipher, handler: TaskHandler<AnyTask>): TaskWorker {
  const worker = new TaskWorker({
    ...{ ...common(cipher), log, redisUrl: redis.url, queues: ['mail'] },
    ...{ concurrency: 5, leaseMs: 1_000, handlerOf: () => handler },
  });
  worker.start();
  workers.push(worker);
  return worker;
}

describe('jobs whose key changes', () => {
  test('run whether they were stored under the old key, the new one, or in the clear', async () => {
    for (const cipher of [none, old, both]) await queueWith(cipher).enqueue(task, { to: 'ada' });
    const seen: string[] = [];
    work(both, async ({ to }) => void seen.push(to));
    await eventually(() => expect(seen).toEqual(['ada', 'ada', 'ada']));
  });

  test.each([
    ['dropped too early', renewed],
    ['turned off', none],
  ])('are parked when it is %s, and run when a worker comes that has it', async (_how, without) => {
    const { jobId } = await queueWith(old).enqueue(task, { to: 'ada' });
    const seen: string[] = [];
    const handler: TaskHandler<AnyTask> = async ({ to }) => void seen.push(to);
    const worker = work(without, handler);
    const parked = { state: 'parked', outcome: `key-unknown:${old.keyIds[0]}`, attempt: 0 };
    await eventually(async () => expect(await backendWith(none).job(jobId)).toMatchObject(parked));
    // What the worker does every five seconds; it must not take up what it cannot read, again and again.
    const search = { leaseMs: 60_000, most: 10 };
    expect((await backendWith(without).claimParked('mail', catalog.readable(), search)).claims).toEqual([]);
    expect(log.lines.filter(({ message }) => message.startsWith('job parked'))).toHaveLength(1);
    await worker.drain(0);

    work(both, handler);
    await eventually(() => expect(seen).toEqual(['ada']));
  });

  test('are parked with their steps when only a step is under another key', async () => {
    const { jobId } = await queueWith(old).enqueue(task, { to: 'ada' });
    let sent = 0;
    const handler: TaskHandler<AnyTask> = async (_payload, { step }) => void (await step('send', async () => ++sent));
    const first = work(both, async (payload, context) => {
      await handler(payload, context);
      // Until the worker is stopped.
      await new Promise((_resolve, reject) =>
        context.signal.addEventListener('abort', () => reject(new Error('over'))),
      );
    });
    await eventually(async () => expect(await stored(jobId, 'step:send')).toContain(both.keyIds[0]));
    await first.drain(0);
    const second = work(old, handler);
    await eventually(async () => expect((await backendWith(none).job(jobId))?.state).toBe('parked'));
    await second.drain(0);
    work(both, handler);
    await eventually(async () => expect((await backendWith(both).job(jobId))?.state).toBe('completed'));
    expect(sent).toBe(1);
  });

  test('are still told apart by their content, and taken for the same where no key is shared', async () => {
    const key = { idempotencyKey: 'evt_1' };
    const { jobId } = await queueWith(old).enqueue(task, { to: 'ada' }, key);
    const fingerprint = hash('sha256', JSON.stringify({ to: 'ada' }), 'base64url').slice(0, 22);
    const held = await connection.command('GET', `${prefix}:key:mail.send:evt_1`);
    expect(held).toBe(`${jobId} ${old.fingerprint(fingerprint)}`);
    const newer = await queueWith(both).enqueue(task, { to: 'ada' }, { idempotencyKey: 'evt_2' });
    const [first] = both.fingerprint(fingerprint).split(',');
    expect(await connection.command('GET', `${prefix}:key:mail.send:evt_2`)).toBe(`${newer.jobId} ${first}`);
    expect(await queueWith(both).enqueue(task, { to: 'ada' }, key)).toMatchObject({ jobId, duplicate: true });
    const conflict = { code: 'COORD_IDEMPOTENCY_CONFLICT' };
    await expect(queueWith(both).enqueue(task, { to: 'eve' }, key)).rejects.toMatchObject(conflict);
    await expect(queueWith(old).enqueue(task, { to: 'eve' }, key)).rejects.toMatchObject(conflict);
    for (const without of [renewed, none]) {
      expect(await queueWith(without).enqueue(task, { to: 'eve' }, key)).toMatchObject({ jobId, duplicate: true });
    }
  });
});

test.each(['payload', 'step:send'])(
  'a job whose %s was changed, or belongs to another job, is a dead letter, and no handler sees it',
  async (field) => {
    const backend = backendWith(old);
    const queued = await queueWith(old).enqueueAll(
      ['ada', 'eve'].map((to) => ({ task, payload: { to }, options: {} })),
    );
    for (const { jobId } of queued) {
      await connection.command('RPOPLPUSH', `${prefix}:q:mail:waiting`, `${prefix}:q:mail:active`);
      const claim = (await backend.claim('mail', jobId, 60_000)) as Claim;
      await backend.saveStep(claim, 'send', '"receipt"');
      const again = {
        state: 'scheduled',
        outcome: 'retried',
        delayMs: 0,
        spendsAttempt: true,
      } as const;
      await backend.settle(claim, { ...again, error: undefined, attemptReport: undefined, children: [] });
    }
    const [changed, other] = queued.map(({ jobId }) => jobId) as [string, string];
    await connection.command('HSET', `${prefix}:job:${changed}`, field, await stored(other, field));
    const seen: string[] = [];
    work(old, async ({ to }, { step }) => void seen.push(`${to} ${await step('send', async () => 'another')}`));
    await eventually(() => expect(seen).toEqual(['eve receipt']));
    await eventually(async () =>
      expect(await backend.job(changed)).toMatchObject({
        ...{ state: 'dead', outcome: 'unreadable', error: { code: 'COORD_ENVELOPE_UNREADABLE' } },
      }),
    );
    expect(seen).toEqual(['eve receipt']);
  },
);

test('the message of an error is shown to who has the key, and its code to everybody', async () => {
  const { jobId } = await queueWith(old).enqueue(task, { to: 'ada' });
  work(old, async () => {
    throw new Error('no user Ada Lovelace');
  });
  await eventually(async () =>
    expect((await backendWith(old).job(jobId))?.error).toEqual({
      ...{ code: 'COORD_HANDLER_FAILED', message: 'Error: no user Ada Lovelace' },
    }),
  );
  expect(await stored(jobId, 'error')).not.toContain('Ada');
  expect((await backendWith(none).job(jobId))?.error).toEqual({
    ...{ code: 'COORD_HANDLER_FAILED', message: expect.stringContaining('encrypted with a key') },
  });
});
