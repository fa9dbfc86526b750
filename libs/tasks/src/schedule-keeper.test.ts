import { leakChecks, eventually, privateRedis, RecordingLog, recordSpans, spanTrees } from '@coordinator/task-testing';
import { inSpan, startTracing } from '@coordinator/tracing';
import { afterEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { RedisBackend, type RedisBackendOptions } from './bee-queue/redis-backend.ts';
import { RedisConnection } from './bee-queue/redis-connection.ts';
import { CoordinatorError } from './error-codes.ts';
import { repeat } from './repeat.ts';
import { defineSchedule, type Schedule, type ScheduleDeclaration } from './schedule.ts';
import { ScheduleKeeper } from './schedule-keeper.ts';
import { defineTask } from './task.ts';
import { TaskCatalog } from './task-catalog.ts';

const HOUR_MS = 3_600_000;
/** Each hour, and no slot within half an hour of the test. */
const HOURLY = `${(new Date().getUTCMinutes() + 30) % 60} * * * *`;
const reconcile = defineTask({ name: 'orders.reconcile', payload: z.strictObject({ slot: z.string() }) });
const subject = 'schedule:orders.nightly';

function scheduleOf(change: Partial<ScheduleDeclaration<typeof reconcile>> = {}): Schedule {
  const payload = ({ slotAt }: { slotAt: Date }) => ({ slot: slotAt.toISOString() });
  return defineSchedule({ name: 'orders.nightly', cron: HOURLY, task: reconcile, payload, ...change });
}

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
const redis = privateRedis();
leakChecks(redis);

/** Patient, because what a slow machine answers late is told as unavailable. */
async function connect(log: RecordingLog, commandDeadlineMs = 10_000) {
  const connection = new RedisConnection({ url: redis.url, log, commandDeadlineMs });
  await connection.connect();
  closing.push(() => connection.close());
  return connection;
}

/** Writes, and then does not hear that it has. */
class AnswerLosingBackend extends RedisBackend {
  override async fireSchedule(...call: Parameters<RedisBackend['fireSchedule']>): Promise<never> {
    await super.fireSchedule(...call);
    throw new CoordinatorError('COORD_QUEUE_UNAVAILABLE');
  }
}

/** Schedules in Redis and what keeps them. */
async function start(options: RedisBackendOptions = {}) {
  const log = new RecordingLog();
  const prefix = redis.freshPrefix();
  const connection = await connect(log);
  const backend = new RedisBackend(connection, { ...options, keyPrefix: prefix });
  const catalog = new TaskCatalog([{ task: reconcile, queue: 'orders' }]);
  const keeperOf = (schedules: Schedule[], through = backend) =>
    new ScheduleKeeper({ backend: through, catalog, schedules, release: 'test', log });
  /** Has the last slot of a schedule be so long ago, as if nobody had kept it since. */
  const missed = async (schedule: Schedule, agoMs: number) => {
    const [seconds] = (await redis.command('TIME')) as [string];
    const lastMs = Number(seconds) * 1_000 - agoMs;
    await redis.command('HSET', `${prefix}:schedules`, schedule.key, String(lastMs));
    return lastMs;
  };
  /** The slots that have a job, in the order of acceptance. */
  const fired = async (about = subject) => {
    const { items: jobs } = await backend.jobsOf(about);
    const payloads = await Promise.all(
      jobs.map(({ jobId }) => connection.command('HGET', `${prefix}:job:${jobId}`, 'payload')),
    );
    return payloads.map((payload) => Date.parse((JSON.parse(payload as string) as { slot: string }).slot));
  };
  const logged = (message: string) => log.lines.filter((line) => line.message === message);
  /** The backend of another process, which knows of no fullness. */
  const roomy = async () => new RedisBackend(await connect(log), { keyPrefix: prefix });
  return { backend, roomy, prefix, log, keeperOf, missed, fired, logged };
}

describe('a schedule', () => {
  test('that is new starts from now: what lies before is not made up for', async () => {
    const { keeperOf, fired, missed } = await start();
    const schedule = scheduleOf({ catchUp: 'all' });
    await keeperOf([schedule]).tick();
    expect(await fired()).toEqual([]);
    await missed(schedule, 5 * HOUR_MS);
    await keeperOf([schedule]).tick();
    expect(await fired()).toHaveLength(5);

    // So is one whose expression was changed.
    await keeperOf([scheduleOf({ catchUp: 'all', cron: '0 0 * * *' })]).tick();
    expect(await fired()).toHaveLength(5);
  });

  test('makes a job of a slot, about the schedule, and says so', async () => {
    const { backend, keeperOf, missed, fired, logged } = await start();
    const schedule = scheduleOf();
    const lastMs = await missed(schedule, HOUR_MS);
    await keeperOf([schedule]).tick();
    const [slotMs] = await fired();
    expect(slotMs).toBe(schedule.slots.next(lastMs));
    const [job] = (await backend.jobsOf(subject)).items;
    expect(job).toMatchObject({ state: 'waiting', attempt: 0 });
    expect(logged('schedule fired').map(({ fields }) => fields)).toEqual([
      {
        schedule: 'orders.nightly',
        slot: new Date(slotMs!).toISOString(),
        jobId: job?.jobId,
        task: 'orders.reconcile',
      },
    ]);
  });

  test('that has several slots between two ticks makes a job of each', async () => {
    const { keeperOf, missed, fired, logged } = await start();
    const schedule = scheduleOf({ cron: '* * * * * *' });
    const lastMs = await missed(schedule, 5_000);
    await keeperOf([schedule]).tick();
    const slots = await fired();
    expect(slots.length).toBeGreaterThanOrEqual(5);
    expect(slots).toEqual(slots.map((_slot, i) => lastMs + (i + 1) * 1_000));
    expect(logged('schedule skipped missed slots')).toEqual([]);
  });

  test('makes no second job of a slot that comes again, because the clock was set back', async () => {
    const { keeperOf, missed, fired, logged } = await start();
    const schedule = scheduleOf();
    for (let time = 1; time <= 2; time++) {
      await missed(schedule, HOUR_MS);
      await keeperOf([schedule]).tick();
      expect([await fired(), logged('schedule fired')].map(({ length }) => length)).toEqual([1, 1]);
    }
  });

  test.each([
    ['skip', 0, 10],
    ['once', 1, 9],
    ['all', 10, 0],
  ] as const)('with the policy %s makes %i jobs of ten missed slots', async (catchUp, jobs, skipped) => {
    const { keeperOf, missed, fired, logged } = await start();
    const schedule = scheduleOf({ catchUp });
    const lastMs = await missed(schedule, 10 * HOUR_MS);
    const keeper = keeperOf([schedule]);
    await keeper.tick();
    await keeper.tick();
    const slots = Array.from({ length: 10 }, (_, n) => schedule.slots.next(lastMs) + n * HOUR_MS);
    expect(await fired()).toEqual(slots.slice(10 - jobs));
    const told = skipped > 0 ? [expect.objectContaining({ schedule: 'orders.nightly', catchUp, skipped })] : [];
    expect(logged('schedule skipped missed slots').map(({ fields }) => fields)).toEqual(told);
  });

  test('makes up for the latest 1000 slots of a long outage, in order, and says that there were more', async () => {
    const { keeperOf, missed, fired, logged } = await start();
    const schedule = scheduleOf({ catchUp: 'all' });
    await missed(schedule, 50 * 24 * HOUR_MS);
    await keeperOf([schedule]).tick();
    const slots = await fired();
    expect(slots).toHaveLength(1_000);
    expect(slots.map((at) => at - slots[0]!)).toEqual(slots.map((_, n) => n * HOUR_MS));
    expect(logged('schedule skipped missed slots')).toHaveLength(1);
    await keeperOf([schedule]).tick();
    expect(await fired()).toHaveLength(1_000);
  });

  test('that cannot make its payload holds up no other, is told of once, and loses no slot', async () => {
    const { keeperOf, missed, fired, logged } = await start();
    const broken = scheduleOf({ name: 'orders.broken', payload: () => ({ slot: 7 as unknown as string }) });
    const schedule = scheduleOf();
    for (const each of [broken, schedule]) await missed(each, HOUR_MS);
    const keeper = keeperOf([broken, schedule]);
    await keeper.tick();
    await keeper.tick();
    expect(await fired()).toHaveLength(1);
    expect(logged('schedule could not fire')).toMatchObject([
      { level: 'error', fields: { schedule: 'orders.broken' } },
    ]);
    await keeperOf([scheduleOf({ name: 'orders.broken' })]).tick();
    expect(await fired('schedule:orders.broken')).toHaveLength(1);
  });

  describe('keeps its slots due', () => {
    test('while its queue is full, and says so once', async () => {
      const { roomy, keeperOf, missed, fired, logged } = await start({ maxDepth: 1 });
      const hourly = scheduleOf({ catchUp: 'all' });
      await missed(hourly, 2 * HOUR_MS);
      const keeper = keeperOf([hourly]);
      await keeper.tick();
      await keeper.tick();
      expect(await fired()).toEqual([]);
      expect(logged('schedule could not fire')).toMatchObject([
        { level: 'error', fields: { err: { code: 'COORD_QUEUE_FULL' }, schedule: 'orders.nightly' } },
      ]);
      await keeperOf([hourly], await roomy()).tick();
      expect(await fired()).toHaveLength(2);
    });

    test('while Redis is full', async () => {
      const { roomy, keeperOf, missed, fired } = await start();
      const hourly = scheduleOf();
      await missed(hourly, HOUR_MS);
      await redis.command('CONFIG', 'SET', 'maxmemory', '1');
      try {
        await keeperOf([hourly]).tick();
        expect(await fired()).toEqual([]);
      } finally {
        await redis.command('CONFIG', 'SET', 'maxmemory', '0');
      }
      await keeperOf([hourly], await roomy()).tick();
      expect(await fired()).toHaveLength(1);
    });

    test('while Redis is nearly full', async () => {
      const { keeperOf, logged } = await start();
      const keeper = keeperOf([scheduleOf({ cron: '* * * * * *' })]);
      const used = Number(/used_memory:(\d+)/.exec((await redis.command('INFO', 'memory')) as string)?.[1]);
      await redis.command('CONFIG', 'SET', 'maxmemory', String(Math.round(used * 1.1)));
      const refused = { err: { code: 'COORD_QUEUE_FULL', message: expect.stringContaining('nearly full') } };
      try {
        await eventually(async () => {
          await keeper.tick();
          expect(logged('schedule could not fire')).toMatchObject([{ fields: refused }]);
        });
      } finally {
        await redis.command('CONFIG', 'SET', 'maxmemory', '0');
      }
    });
  });

  test('starts a trace of its own with each job, whatever span is active', async () => {
    const recording = recordSpans();
    closing.push(() => recording.stop());
    const { backend, keeperOf, missed } = await start();
    const schedule = scheduleOf({ catchUp: 'all' });
    await missed(schedule, 2 * HOUR_MS);
    await inSpan('another', {}, () => keeperOf([schedule]).tick());
    const spans = recording.spans().filter(({ name }) => name !== 'another');
    expect(spanTrees(spans)).toMatchObject([
      { name: 'send orders', kind: 'PRODUCER', children: [] },
      { name: 'send orders', kind: 'PRODUCER', children: [] },
    ]);
    expect(spans[0]?.attributes).toMatchObject({ 'coordinator.schedule': 'orders.nightly' });
    const { items: jobs } = await backend.jobsOf(subject);
    const traces = jobs.map(
      ({ envelope }) => (JSON.parse(envelope) as { trace: { traceparent: string } }).trace.traceparent,
    );
    expect(traces.map((parent) => parent.split('-')[1])).toEqual(spans.map(({ traceId }) => traceId));
    expect(new Set(recording.spans().map(({ traceId }) => traceId)).size).toBe(3);
  });

  test('is counted', async () => {
    const tracing = startTracing({ service: 'test', release: '1.2.3' });
    closing.push(() => tracing.shutdown());
    const { keeperOf, missed } = await start();
    const schedule = scheduleOf();
    await missed(schedule, 3 * HOUR_MS);
    await keeperOf([schedule]).tick();
    const of = (outcome: string) =>
      `coordinator_schedule_slots_total{coordinator_schedule="orders.nightly",coordinator_outcome="${outcome}"}`;
    const lines = (await tracing.metricsText()).split('\n');
    expect(lines).toEqual(expect.arrayContaining([`${of('fired')} 1`, `${of('skipped')} 2`]));
    const job = 'coordinator_task="orders.reconcile",messaging_destination_name="orders"';
    expect(lines).toContain(`coordinator_jobs_accepted_total{${job}} 1`);
  });
});

describe('many keepers', () => {
  test('make exactly one job of each slot, although one of them is cut off in between', async () => {
    const { prefix, log, keeperOf, fired } = await start();
    const schedule = scheduleOf({ cron: '* * * * * *', catchUp: 'all' });
    const connections = await Promise.all(Array.from({ length: 5 }, () => connect(log)));
    const keepers = connections.map((connection) =>
      keeperOf([schedule], new RedisBackend(connection, { keyPrefix: prefix })),
    );
    const repetitions = keepers.map((keeper) =>
      repeat(
        5,
        () => keeper.tick(),
        () => undefined,
      ),
    );
    await eventually(async () => expect((await fired()).length).toBeGreaterThanOrEqual(1));
    connections[0]?.close();
    await eventually(async () => expect((await fired()).length).toBeGreaterThanOrEqual(3));
    await Promise.all(repetitions.map((repetition) => repetition.stop()));
    const slots = await fired();
    expect(slots.map((at) => at - slots[0]!)).toEqual(slots.map((_, n) => n * 1_000));
  });

  test('that all see the same missed slots write each of them once', async () => {
    const { prefix, log, keeperOf, missed, fired, logged } = await start();
    const schedule = scheduleOf({ catchUp: 'all' });
    const connections = await Promise.all(Array.from({ length: 5 }, () => connect(log)));
    const keepers = connections.map((connection) =>
      keeperOf([schedule], new RedisBackend(connection, { keyPrefix: prefix })),
    );
    for (let round = 1; round <= 5; round++) {
      await redis.command('FLUSHALL');
      await missed(schedule, 150 * HOUR_MS);
      await Promise.all(keepers.map((keeper) => keeper.tick()));
      expect(await fired()).toHaveLength(150);
      expect(logged('schedule fired')).toHaveLength(150 * round);
    }
  });

  test('lose nothing and write nothing twice when the answer to a write is lost', async () => {
    const { prefix, log, keeperOf, missed, fired } = await start();
    const schedule = scheduleOf({ catchUp: 'all' });
    await missed(schedule, 150 * HOUR_MS);
    const lossy = keeperOf([schedule], new AnswerLosingBackend(await connect(log), { keyPrefix: prefix }));
    await expect(lossy.tick()).rejects.toMatchObject({ code: 'COORD_QUEUE_UNAVAILABLE' });
    expect(await fired()).toHaveLength(100);
    await keeperOf([schedule]).tick();
    expect(await fired()).toHaveLength(150);
  });

  test('catch up when Redis was away', async () => {
    const { prefix, log, keeperOf, missed, fired } = await start();
    const schedule = scheduleOf({ catchUp: 'all' });
    const keeper = keeperOf([schedule], new RedisBackend(await connect(log, 100), { keyPrefix: prefix }));
    await missed(schedule, 2 * HOUR_MS);
    redis.server.pause();
    await expect(keeper.tick()).rejects.toMatchObject({ code: 'COORD_QUEUE_UNAVAILABLE' });
    redis.server.resume();
    await eventually(() => keeper.tick());
    expect(await fired()).toHaveLength(2);
  });
});
