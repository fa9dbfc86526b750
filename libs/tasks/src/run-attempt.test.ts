import { describe, expect, test } from '@jest/globals';
import { RecordingLog, runTask } from '@coordinator/task-testing';
import { z } from 'zod';
import { aNote } from './conformance/bench.ts';
import { servesRetry } from './current-attempt.ts';
import { MemoryBackend } from './memory/memory-backend.ts';
import { MemoryClock } from './memory/memory-clock.ts';
import type { Claim } from './queue-backend.ts';
import { runAttempt } from './run-attempt.ts';
import { defineTask, type TaskHandler } from './task.ts';
import { TaskCatalog } from './task-catalog.ts';
import { TaskQueue } from './task-queue.ts';
import { cancel, Interruption, leaseLost, retryLater, TaskError } from './task-error.ts';

const ship = defineTask({
  name: 'warehouse.ship',
  payload: z.strictObject({ sku: z.string() }),
  timeoutMs: 50,
  maxAttempts: 3,
  backoff: () => 100,
});
const inform = defineTask({ name: 'warehouse.inform', payload: z.strictObject({ parcel: z.string() }) });

const run = (handler: TaskHandler<typeof ship>, options = {}) => runTask(ship, handler, { sku: 'a' }, options);

describe('an attempt', () => {
  test('whose handler returns is completed', async () => {
    expect((await run(async () => undefined)).outcome).toEqual({ kind: 'completed' });
  });

  test('whose handler throws is retried', async () => {
    const { outcome } = await run(async () => Promise.reject(new Error('boom')));
    expect(outcome).toMatchObject({ kind: 'retried', delayMs: 100 });
  });

  test('tells what its handler calls whether it is a retry, beyond every await', async () => {
    const told = [servesRetry()];
    const handler = async () => {
      await Promise.resolve();
      told.push(servesRetry());
    };
    await run(handler, { attempt: 1 });
    await run(handler, { attempt: 2 });
    expect([...told, servesRetry()]).toEqual([false, false, true, false]);
  });

  test('may wait, and may end without effect', async () => {
    const wait = await run(async () => Promise.reject(retryLater(70, 'not yet')));
    expect(wait.outcome).toMatchObject({ kind: 'snoozed', delayMs: 70 });
    const end = await run(async () => Promise.reject(cancel('withdrawn')));
    expect(end.outcome).toMatchObject({ kind: 'cancelled' });
  });

  test.each([
    ['the deadline', {}],
    ['a stopping worker', { signal: AbortSignal.abort(new Interruption()) }],
    ['a lost lease', { signal: AbortSignal.abort(leaseLost()) }],
  ])('with a call that may have taken effect and may not be repeated is over, also by %s', async (_what, options) => {
    const unknown = new TaskError('permanent', 'COORD_DOWNSTREAM_UNKNOWN_OUTCOME', 'find out');
    const { outcome } = await run(
      (_payload, { signal }) =>
        new Promise((_resolve, reject) => {
          if (signal.aborted) reject(unknown);
          signal.addEventListener('abort', () => reject(unknown));
        }),
      options,
    );
    expect(outcome).toMatchObject({ kind: 'dead', reason: 'permanent', error: { code: unknown.code } });
  });

  test('whose handler passes the deadline has its signal aborted, and ends as out of time', async () => {
    const { outcome } = await run(
      (_payload, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('echo')))),
    );
    expect(outcome).toMatchObject({ kind: 'retried', error: { code: 'COORD_ATTEMPT_TIMEOUT' } });
  });

  test.each([
    ['a stopping worker interrupts', new Interruption()],
    ['is told that its lease is over', leaseLost()],
  ])('that %s is not spent', async (_what, reason) => {
    const abort = new AbortController();
    const { outcome } = await run(
      async (_payload, { signal }) => {
        abort.abort(reason);
        signal.throwIfAborted();
      },
      { signal: abort.signal, attempt: 3 },
    );
    expect(outcome).toMatchObject({ kind: 'snoozed', delayMs: 0 });
  });

  test('that completed although it was told to stop is completed', async () => {
    const { outcome } = await run(async () => undefined, { signal: AbortSignal.abort(new Interruption()) });
    expect(outcome).toEqual({ kind: 'completed' });
  });
});

describe('what an attempt enqueues', () => {
  test('exists when it completes, about the same subject', async () => {
    const { enqueued } = await run(async (_payload, { enqueue }) => enqueue(inform, { parcel: 'p1' }), {
      subject: 'order:7',
    });
    expect(enqueued).toMatchObject([{ task: 'warehouse.inform', payload: { parcel: 'p1' }, subject: 'order:7' }]);
  });

  test('does not exist when it fails afterwards', async () => {
    const { enqueued } = await run(async (_payload, { enqueue }) => {
      enqueue(inform, { parcel: 'p1' });
      throw new Error('boom');
    });
    expect(enqueued).toEqual([]);
  });

  test('is checked at once: a payload that does not fit fails the attempt for good', async () => {
    const { outcome } = await run(async (_payload, { enqueue }) => enqueue(inform, { parcel: 7 } as never));
    expect(outcome).toMatchObject({ kind: 'dead', reason: 'payload-invalid' });
  });
});

describe('a step', () => {
  test('is given a key that all attempts of the job share', async () => {
    let keys: string[] = [];
    await run(async (_payload, { step, job }) => {
      await step('pack', async ({ idempotencyKey }) => keys.push(idempotencyKey));
      keys = keys.map((key) => key.replace(job.id, '<job>'));
    });
    expect(keys).toEqual(['<job>:pack']);
  });

  test('that an earlier attempt finished is not run again: its result is replayed', async () => {
    const packed: string[] = [];
    const { steps } = await run(
      async (_payload, { step }) => {
        const parcel = await step('pack', async () => 'never');
        await step('send', async () => packed.push(parcel));
      },
      { attempt: 2, steps: { pack: 'p1' } },
    );
    expect(packed).toEqual(['p1']);
    expect(steps).toEqual({ pack: 'p1', send: 1 });
  });

  test('without a result is replayed as such', async () => {
    const results: unknown[] = [];
    await run(async (_payload, { step }) => void results.push(await step('pack', async () => 'never')), {
      steps: { pack: undefined },
    });
    expect(results).toEqual([undefined]);
  });

  test('whose result is one too many for what a job may keep ends the job for good, whichever attempt kept the others', async () => {
    const text = 'x'.repeat(260_000);
    const stored = { one: text, two: text, three: text };
    const fits = await run(async (_payload, { step }) => void (await step('four', async () => text)), {
      steps: stored,
    });
    expect([fits.outcome.kind, Object.keys(fits.steps)]).toEqual(['completed', ['one', 'two', 'three', 'four']]);
    const { outcome, steps } = await run(
      async (_payload, { step }) => {
        expect(await step('three', async () => 'never')).toBe(text);
        await step('four', async () => text);
        await step('five', async () => text);
      },
      { steps: stored },
    );
    expect(outcome).toMatchObject({ kind: 'dead', reason: 'permanent', error: { code: 'COORD_PAYLOAD_TOO_LARGE' } });
    expect(Object.keys(steps)).toEqual(['one', 'two', 'three', 'four']);
  });

  test('with the name of another is a mistake that is said', async () => {
    const { outcome } = await run(async (_payload, { step }) => {
      await step('pack', async () => 1);
      await step('pack', async () => 2);
    });
    expect(outcome).toMatchObject({ error: { message: expect.stringContaining('two steps with the name "pack"') } });
  });
});

test('giveUpAfterMs counts from the first attempt, not from acceptance, and anew after a replay', async () => {
  const clock = new MemoryClock();
  const backend = new MemoryBackend(clock);
  const patient = defineTask({ ...ship, giveUpAfterMs: 1_000 });
  const catalog = new TaskCatalog([{ task: patient, queue: 'warehouse' }]);
  const common = { backend, catalog, routeEvent: () => [], release: 'test', log: new RecordingLog() };
  const { jobId } = await new TaskQueue(common).enqueue(patient, { sku: 'a' });
  const attempt = async () => {
    const claim = await backend.claim('warehouse', backend.pop('warehouse') ?? '', 60_000);
    return runAttempt(
      claim!,
      { ...common, handlerOf: () => () => Promise.reject(new Error('boom')) },
      new AbortController(),
    );
  };
  clock.advance(2_000);
  expect(await attempt()).toMatchObject({ kind: 'retried' });
  clock.advance(2_000);
  await backend.promote('warehouse');
  expect(await attempt()).toMatchObject({ kind: 'dead', reason: 'gave-up' });
  await backend.replay(jobId, aNote());
  expect(await attempt()).toMatchObject({ kind: 'retried' });
});

describe('an attempt after one whose process ended', () => {
  /** A job whose worker ends with its first attempt, and workers that live. */
  async function crashed(maxAttempts: number) {
    const clock = new MemoryClock();
    const backend = new MemoryBackend(clock);
    const task = defineTask({ ...ship, maxAttempts });
    const catalog = new TaskCatalog([{ task, queue: 'warehouse' }]);
    const common = { backend, catalog, routeEvent: () => [], release: 'test', log: new RecordingLog() };
    await new TaskQueue(common).enqueue(task, { sku: 'a' });
    const claim = async (): Promise<Claim> => {
      await backend.promote('warehouse');
      return (await backend.claim('warehouse', backend.pop('warehouse') ?? '', 60_000)) as Claim;
    };
    const attempt = async (handler: () => Promise<void>) => {
      const outcome = await runAttempt(await claim(), { ...common, handlerOf: () => handler }, new AbortController());
      clock.advance(1_000);
      return outcome;
    };
    await claim();
    clock.advance(60_000);
    await backend.recover('warehouse', { graceMs: 0, crashLimit: 3 });
    return attempt;
  }
  const fail = () => Promise.reject(new Error('boom'));

  test('has as many tries left as the first had', async () => {
    const attempt = await crashed(2);
    expect(await attempt(fail)).toMatchObject({ kind: 'retried' });
    expect(await attempt(() => Promise.reject(retryLater(10, 'not yet')))).toMatchObject({ kind: 'snoozed' });
    expect(await attempt(fail)).toMatchObject({ kind: 'dead', reason: 'attempts-spent' });
  });

  test('is no retry, unless one before that had failed', async () => {
    const attempt = await crashed(9);
    const told: boolean[] = [];
    const tell = async () => void told.push(servesRetry());
    await attempt(async () => {
      await tell();
      throw retryLater(10, 'not yet');
    });
    await attempt(() => tell().then(fail));
    await attempt(tell);
    expect(told).toEqual([false, false, true]);
  });
});
