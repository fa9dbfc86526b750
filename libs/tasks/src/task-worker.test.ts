import { afterEach, describe, expect, test } from '@jest/globals';
import { eventually, leakChecks, privateRedis, RecordingLog } from '@coordinator/task-testing';
import { z } from 'zod';
import { audit } from './audit/audit.ts';
import { RedisBackend } from './bee-queue/redis-backend.ts';
import { RedisConnection } from './bee-queue/redis-connection.ts';
import { aNote } from './conformance/bench.ts';
import type { JobRecord } from './job.ts';
import { defineTask, type AnyTask, type TaskHandler } from './task.ts';
import { TaskCatalog } from './task-catalog.ts';
import { TaskError } from './task-error.ts';
import { TaskQueue } from './task-queue.ts';
import { TaskWorker, type TaskWorkerOptions } from './task-worker.ts';

const ship = defineTask({ name: 'warehouse.ship', payload: z.strictObject({ n: z.int() }), backoff: () => 1 });
const later = defineTask({ name: 'warehouse.later', payload: z.strictObject({}) });

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
const redis = privateRedis();
leakChecks(redis);

/** A queue and the workers on it. */
async function start(tasks: readonly AnyTask[] = [ship]) {
  const log = new RecordingLog();
  const connection = new RedisConnection({ url: redis.url, log });
  await connection.connect();
  closing.push(() => connection.close());
  const backend = new RedisBackend(connection, { keyPrefix: redis.freshPrefix() });
  const catalog = new TaskCatalog(tasks.map((task) => ({ task, queue: 'warehouse' })));
  const common = { backend, catalog, routeEvent: () => [], release: 'test' };
  const queue = new TaskQueue(common);
  const work = (handler: TaskHandler<AnyTask>, options: Partial<TaskWorkerOptions> = {}) => {
    const worker = new TaskWorker({
      ...{ ...common, log, redisUrl: redis.url, queues: ['warehouse'] },
      ...{ concurrency: 5, leaseMs: 1_000, handlerOf: () => handler },
      ...options,
    });
    worker.start();
    closing.push(() => worker.drain(0));
    return worker;
  };
  const state = async (jobId: string) => ((await backend.job(jobId)) as JobRecord).state;
  return { backend, catalog, queue, log, work, state };
}

/** A promise and its resolve function. */
function signal(): { readonly given: Promise<void>; give: () => void } {
  let give = () => undefined as void;
  const given = new Promise<void>((resolve) => (give = resolve));
  return { given, give };
}

describe('a worker', () => {
  test('runs what is enqueued, at most as many attempts at once as it may', async () => {
    const { queue, work } = await start();
    let running = 0;
    let most = 0;
    const full = signal();
    const done = new Set<number>();
    work(async ({ n }) => {
      most = Math.max(most, ++running);
      if (running === 5) full.give();
      await full.given;
      running -= 1;
      done.add(n);
    });
    await queue.enqueueAll(Array.from({ length: 100 }, (_, n) => ({ task: ship, payload: { n }, options: {} })));
    await eventually(() => expect(done.size).toBe(100));
    expect(most).toBe(5);
  });

  test('brings a failed job back when it is due', async () => {
    const { queue, work, state } = await start();
    const attempts: number[] = [];
    work(async (_payload, { attempt }) => {
      attempts.push(attempt);
      if (attempt < 3) throw new Error('boom');
    });
    const { jobId } = await queue.enqueue(ship, { n: 1 });
    await eventually(async () => expect(await state(jobId)).toBe('completed'));
    expect(attempts).toEqual([1, 2, 3]);
  });

  test('keeps its lease for as long as a handler runs', async () => {
    const { queue, work, state } = await start();
    const over = signal();
    let attempts = 0;
    work(
      async () => {
        attempts += 1;
        await over.given;
      },
      { leaseMs: 300 },
    );
    const { jobId } = await queue.enqueue(ship, { n: 1 });
    await eventually(() => expect(attempts).toBe(1));
    // Three leases by the clock of Redis, in which a second attempt would have begun.
    const [from] = (await redis.command('TIME')) as [string];
    await eventually(async () =>
      expect(Number(((await redis.command('TIME')) as [string])[0]) - Number(from)).toBeGreaterThan(1),
    );
    over.give();
    await eventually(async () => expect(await state(jobId)).toBe('completed'));
    expect(attempts).toBe(1);
  });

  test('goes on when an index is mended whose key had the wrong type, and has said what mends it', async () => {
    const { backend, queue, work, log, state } = await start();
    const { jobId } = await queue.enqueue(ship, { n: 1 });
    const waiting = `${backend.keyPrefix}:q:warehouse:waiting`;
    await redis.command('SET', waiting, 'garbage');
    work(async () => undefined);
    const told = 'the pop loop met an error: a key has the wrong type, mend it with npm run audit -- --repair';
    await eventually(() => expect(log.lines.map(({ message }) => message)).toContain(told));

    const operator = new RedisConnection({ url: redis.url, log });
    closing.push(() => operator.close());
    await operator.connect();
    expect(await audit(operator, { keyPrefix: backend.keyPrefix, repair: true })).toMatchObject({ balanced: true });
    await eventually(async () => expect(await state(jobId)).toBe('completed'));
  });

  test('keeps its job when Redis was away for longer than the lease', async () => {
    const { queue, work, state } = await start();
    const begun = signal();
    const over = signal();
    let attempts = 0;
    work(
      async () => {
        attempts += 1;
        begun.give();
        await over.given;
      },
      { leaseMs: 1_500 },
    );
    const { jobId } = await queue.enqueue(ship, { n: 1 });
    await begun.given;
    const awayAt = performance.now();
    redis.server.pause();
    await eventually(() => expect(performance.now() - awayAt).toBeGreaterThan(2_000));
    redis.server.resume();
    const backAt = performance.now();
    await eventually(() => expect(performance.now() - backAt).toBeGreaterThan(2_500));
    over.give();
    await eventually(async () => expect(await state(jobId)).toBe('completed'));
    expect(attempts).toBe(1);
  });

  test('tells a handler whose lease was lost, and cannot change the job any more', async () => {
    const { backend, queue, work, log } = await start();
    const reasons: unknown[] = [];
    const { jobId } = await queue.enqueue(ship, { n: 1 });
    const worker = work(
      (_payload, { signal: aborted }) =>
        new Promise((_resolve, reject) => {
          const stop = () => {
            reasons.push((aborted.reason as { code: string }).code);
            reject(new Error('stopped'));
          };
          aborted.addEventListener('abort', stop);
        }),
      { leaseMs: 1_500 },
    );
    await eventually(() => expect(worker.running).toBe(1));
    // Somebody else takes the job over, as after a pause longer than the lease.
    const prefix = backend.keyPrefix;
    await redis.command('HSET', `${prefix}:job:${jobId}`, 'token', 'another');
    await eventually(() => expect(reasons).toEqual(['COORD_LEASE_LOST']));
    await eventually(() => expect(worker.running).toBe(0));
    expect(await backend.job(jobId)).toMatchObject({ state: 'running', attempt: 1 });
    expect(log.lines).toContainEqual(expect.objectContaining({ message: expect.stringContaining('lease lost') }));
    await redis.command('DEL', `${backend.keyPrefix}:q:warehouse:leases`, `${backend.keyPrefix}:q:warehouse:active`);
  });

  test('keeps the leases of all while one handler blocks the event loop, and names it', async () => {
    const { backend, queue, work, log } = await start();
    const over = signal();
    work(
      async ({ n }) => {
        if (n === 1) return over.given;
        const endMs = performance.now() + 1_900;
        while (performance.now() < endMs);
      },
      { leaseMs: 2_000 },
    );
    const patient = await queue.enqueue(ship, { n: 1 });
    await eventually(async () => expect((await backend.job(patient.jobId))?.state).toBe('running'));
    const { jobId } = await queue.enqueue(ship, { n: 2 });
    const told = { message: 'the event loop stood still' };
    await eventually(() => expect(log.lines).toContainEqual(expect.objectContaining(told)));
    const fields = expect.objectContaining({ task: 'warehouse.ship', jobId, blockedMs: expect.any(Number) });
    expect(log.lines).toContainEqual(expect.objectContaining({ ...told, fields }));

    const [seconds, micros] = (await redis.command('TIME')) as [string, string];
    const leaseEndsAtMs = await redis.command('ZSCORE', `${backend.keyPrefix}:q:warehouse:leases`, patient.jobId);
    // Had the event loop been the last to renew it, a twentieth would be left.
    expect(Number(leaseEndsAtMs) - Number(seconds) * 1_000 - Number(micros) / 1_000).toBeGreaterThan(300);
    over.give();
  });

  test.each(['random bytes', '17', '17 {"id":'])(
    'makes a dead letter of a job with the stored step %j',
    async (stored) => {
      const { backend, queue, work } = await start();
      const { jobId } = await queue.enqueue(ship, { n: 1 });
      await redis.command('HSET', `${backend.keyPrefix}:job:${jobId}`, 'step:find', stored);
      let found: unknown = 'not run';
      work(async (_payload, { step }) => {
        found = await step('find', async () => 'again');
      });
      const expected = { outcome: 'unreadable', attempt: 1, error: { code: 'COORD_ENVELOPE_UNREADABLE' } };
      await eventually(async () => expect(await backend.job(jobId)).toMatchObject({ state: 'dead', ...expected }));
      expect(found).toBe('not run');
    },
  );

  test('takes jobs although Redis was full when it started', async () => {
    const { queue, work } = await start();
    await queue.enqueueAll(Array.from({ length: 20 }, (_, n) => ({ task: ship, payload: { n }, options: {} })));
    await redis.command('CONFIG', 'SET', 'maxmemory', '1');
    try {
      const done = new Set<number>();
      work(async ({ n }) => void done.add(n), { concurrency: 1 });
      await eventually(() => expect(done.size).toBe(20), { deadlineMs: 20_000 });
    } finally {
      await redis.command('CONFIG', 'SET', 'maxmemory', '0');
    }
  });

  test.each([
    [
      'a pause that is no time',
      new TaskError('rate-limited', 'COORD_DOWNSTREAM_RATE_LIMITED', 'busy', { retryAfterMs: NaN }),
    ],
    ['something that has no text', Object.create(null) as unknown],
  ])('brings a job back whose handler throws %s', async (_what, thrown) => {
    const { backend, queue, work } = await start();
    work(() => Promise.reject(thrown));
    const { jobId } = await queue.enqueue(ship, { n: 1 });
    await eventually(async () => expect((await backend.job(jobId))?.error).toBeDefined());
    const { state, dueAtMs } = (await backend.job(jobId)) as JobRecord;
    expect([state, Number.isFinite(dueAtMs)]).toEqual([expect.stringMatching(/scheduled|waiting|running/), true]);
  });

  test('spends the attempt of a handler that ignores its deadline, when the process has to go without it', async () => {
    const hang = defineTask({ ...ship, name: 'warehouse.hang', timeoutMs: 50, maxAttempts: 1 });
    const { backend, queue, work } = await start([hang]);
    const over = signal();
    const told = signal();
    const worker = work(async (_payload, { signal: aborted }) => {
      aborted.addEventListener('abort', told.give);
      await over.given;
    });
    const { jobId } = await queue.enqueue(hang, { n: 1 });
    await told.given;
    await worker.drain(1);
    const expected = { outcome: 'attempts-spent', error: { code: 'COORD_ATTEMPT_TIMEOUT' } };
    expect(await backend.job(jobId)).toMatchObject({ state: 'dead', ...expected });
    over.give();
    await eventually(() => expect(worker.running).toBe(0));
  });

  test('stops a handler whose job is cancelled', async () => {
    const { backend, queue, work } = await start();
    const worker = work(
      (_payload, { signal: aborted }) =>
        new Promise((_resolve, reject) => {
          aborted.addEventListener('abort', () => reject(new Error('stopped')));
        }),
    );
    const { jobId } = await queue.enqueue(ship, { n: 1 });
    await eventually(() => expect(worker.running).toBe(1));
    await backend.cancel(jobId, aNote('order was withdrawn'));
    const error = { code: 'COORD_CANCELLED', message: 'order was withdrawn' };
    await eventually(async () => expect(await backend.job(jobId)).toMatchObject({ state: 'cancelled', error }));
    await eventually(() => expect(worker.running).toBe(0));
  });

  test('goes on at full concurrency after Redis was restarted', async () => {
    const { queue, work } = await start();
    const together = signal();
    let running = 0;
    work(async () => {
      running += 1;
      if (running === 5) together.give();
      await together.given;
      running -= 1;
    });
    await redis.server.restart();
    const jobs = Array.from({ length: 5 }, (_, n) => ({ task: ship, payload: { n }, options: {} }));
    await eventually(() => queue.enqueueAll(jobs));
    await together.given;
  });

  test('leaves alone what it does not know, until a worker comes that knows it', async () => {
    const old = await start([ship]);
    const { jobId } = await new TaskQueue({
      ...{ backend: old.backend, routeEvent: () => [], release: 'newer' },
      catalog: new TaskCatalog([{ task: later, queue: 'warehouse' }]),
    }).enqueue(later, {});
    const handled: string[] = [];
    const handler: TaskHandler<AnyTask> = async (_payload, { job }) => void handled.push(job.task);
    const worker = old.work(handler);
    await eventually(async () => expect(await old.state(jobId)).toBe('parked'));
    await worker.drain(0);
    expect(old.log.lines).toContainEqual(expect.objectContaining({ message: expect.stringContaining('job parked') }));

    old.work(handler, { catalog: new TaskCatalog([ship, later].map((task) => ({ task, queue: 'warehouse' }))) });
    await eventually(async () => expect(handled).toEqual(['warehouse.later']));
  });

  test('leaves it to that worker once it is parked, and does not park it again', async () => {
    const old = await start([ship]);
    const catalog = new TaskCatalog([ship, later].map((task) => ({ task, queue: 'warehouse' })));
    const newer = new TaskQueue({ backend: old.backend, routeEvent: () => [], release: 'newer', catalog });
    await newer.enqueueAll(Array.from({ length: 30 }, () => ({ task: later, payload: {}, options: {} })));
    const handled = new Set<string>();
    const handler: TaskHandler<AnyTask> = async (_payload, { job }) => void handled.add(job.id);
    old.work(handler);
    await eventually(async () => expect((await old.backend.readQueue('warehouse')).parked).toBe(30));

    old.work(handler, { catalog });
    await eventually(async () => expect(handled.size).toBe(30));
    expect(old.log.lines.filter(({ message }) => message.startsWith('job parked'))).toHaveLength(30);
  });
});

describe('a worker that is drained', () => {
  test('runs what it had claimed when it was told, and leaves no job behind', async () => {
    const { backend, queue, work } = await start();
    const jobs = Array.from({ length: 200 }, (_, n) => ({ task: ship, payload: { n }, options: {} }));
    const jobIds = (await queue.enqueueAll(jobs)).map(({ jobId }) => jobId);
    let done = 0;
    const some = signal();
    const worker = work(async () => {
      done += 1;
      if (done === 20) some.give();
    });
    await some.given;
    await worker.drain(5_000);
    const states = await Promise.all(jobIds.map(async (jobId) => (await backend.job(jobId))?.state));
    expect(new Set(states)).toEqual(new Set(done < 200 ? ['completed', 'waiting'] : ['completed']));
    expect(states.filter((state) => state === 'completed')).toHaveLength(done);
  });

  test('gives back the job of a handler that ignores its signal, and it is no crash', async () => {
    const { backend, queue, work, log } = await start();
    const over = signal();
    const worker = work(() => over.given);
    const { jobId } = await queue.enqueue(ship, { n: 1 });
    await eventually(() => expect(worker.running).toBe(1));
    await worker.drain(1);
    const prefix = backend.keyPrefix;
    expect(await backend.job(jobId)).toMatchObject({ state: expect.stringMatching(/scheduled|waiting/), attempt: 0 });
    expect(await redis.command('HGET', `${prefix}:job:${jobId}`, 'crashes')).toBeNull();
    over.give();
    await eventually(() => expect(worker.running).toBe(0));
    // What it has done since does not count, and nobody says that it does.
    expect(log.lines.at(-1)).toMatchObject({ message: expect.stringMatching(/^lease lost/), fields: { jobId } });
  });

  test('finishes what it has begun and takes no more', async () => {
    const { queue, work, state } = await start();
    const begun = signal();
    const over = signal();
    const worker = work(async () => {
      begun.give();
      await over.given;
    });
    const first = await queue.enqueue(ship, { n: 1 });
    await begun.given;
    const drained = worker.drain(10_000);
    const second = await queue.enqueue(ship, { n: 2 });
    over.give();
    await drained;
    expect(await state(first.jobId)).toBe('completed');
    expect(await state(second.jobId)).toBe('waiting');
  });

  test('gives back what does not end in time, and the attempt is not spent', async () => {
    const { backend, queue, work } = await start();
    const worker = work(
      (_payload, { signal: aborted }) =>
        new Promise((_resolve, reject) => aborted.addEventListener('abort', () => reject(new Error('stopped')))),
    );
    const { jobId } = await queue.enqueue(ship, { n: 1 });
    await eventually(() => expect(worker.running).toBe(1));
    await worker.drain(1);
    expect(await backend.job(jobId)).toMatchObject({ state: expect.stringMatching(/scheduled|waiting/), attempt: 0 });
  });
});
