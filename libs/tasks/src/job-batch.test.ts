import { describe, expect, test } from '@jest/globals';
import { RecordingLog, runTask } from '@coordinator/task-testing';
import { z } from 'zod';
import { MemoryBackend } from './memory/memory-backend.ts';
import { MemoryClock } from './memory/memory-clock.ts';
import { runAttempt } from './run-attempt.ts';
import type { Claim, Settlement, SettleResult } from './queue-backend.ts';
import { defineTask, type EnqueueOptions, type TaskContext } from './task.ts';
import { TaskCatalog } from './task-catalog.ts';
import { TaskQueue } from './task-queue.ts';

const split = defineTask({ name: 'warehouse.split', payload: z.strictObject({}), maxAttempts: 1 });
const pack = defineTask({ name: 'warehouse.pack', payload: z.strictObject({ note: z.string() }) });
const tooMuch = { kind: 'dead', reason: 'permanent', error: { code: 'COORD_PAYLOAD_TOO_LARGE' } };

const attempt = (handler: (context: TaskContext) => unknown) =>
  runTask(split, async (_payload, context) => void handler(context), {});

/** A queue in memory, and a worker's attempt of the job that waits. */
function start(backend = new MemoryBackend(new MemoryClock())) {
  const catalog = new TaskCatalog([split, pack].map((task) => ({ task, queue: 'warehouse' })));
  const common = { backend, catalog, routeEvent: () => [], release: 'test', log: new RecordingLog() };
  const run = async (handler: (context: TaskContext) => void) => {
    const claim = (await backend.claim('warehouse', backend.pop('warehouse') ?? '', 60_000)) as Claim;
    const handlerOf = () => async (_payload: unknown, context: TaskContext) => handler(context);
    return runAttempt(claim, { ...common, handlerOf }, new AbortController());
  };
  return { backend, queue: new TaskQueue(common), run };
}

describe('what a handler enqueues', () => {
  test.each([
    ['a thousand jobs', 1_000, 1],
    ['four megabytes', 19, 200_000],
  ])('may be %s', async (_what, jobs, bytes) => {
    const { outcome, enqueued } = await attempt(({ enqueue }) => {
      for (let i = 0; i < jobs; i += 1) enqueue(pack, { note: 'x'.repeat(bytes) });
    });
    expect([outcome.kind, enqueued.length]).toEqual(['completed', jobs]);
  });

  test.each([
    ['jobs', 1_001, 1],
    ['bytes', 22, 200_000],
  ])('is refused as soon as it has more %s than one write takes', async (_what, jobs, bytes) => {
    let taken = 0;
    const { outcome, enqueued } = await attempt(({ enqueue }) => {
      for (let i = 0; i < jobs; i += 1, taken += 1) enqueue(pack, { note: 'x'.repeat(bytes) });
    });
    expect(outcome).toMatchObject(tooMuch);
    expect([taken < jobs, enqueued]).toEqual([true, []]);
  });

  test.each(['lane', 'subject', 'idempotencyKey'])('has only texts as %s', async (name) => {
    for (const value of [5, {}]) {
      const { outcome } = await attempt(({ enqueue }) =>
        enqueue(pack, { note: '' }, { [name]: value } as EnqueueOptions),
      );
      const message = expect.stringContaining(`the ${name} of a job is a text or undefined`);
      expect(outcome).toMatchObject({ kind: 'dead', error: { message } });
    }
  });

  test('is put off by what is a time to Redis, too', async () => {
    for (const delayMs of [-1, NaN, Infinity, 1e300]) {
      const { outcome } = await attempt(({ enqueue }) => enqueue(pack, { note: '' }, { delayMs, idempotencyKey: 'k' }));
      expect(outcome).toMatchObject({ kind: 'dead', error: { message: expect.stringContaining('can be put off by') } });
    }
  });

  test('ends the job when it cannot be written, whatever the reason, and leaves nothing of it', async () => {
    class Refusing extends MemoryBackend {
      override async settle(claim: Claim, settlement: Settlement): Promise<SettleResult> {
        if (settlement.children.length > 0) throw new TypeError('arguments[20] must be a string');
        return super.settle(claim, settlement);
      }
    }
    const { backend, queue, run } = start(new Refusing(new MemoryClock()));
    const { jobId } = await queue.enqueue(split, {});
    const error = {
      code: 'COORD_CHILDREN_UNWRITABLE',
      message: expect.stringContaining('TypeError: arguments[20] must be a string'),
    };
    expect(await run(({ enqueue }) => enqueue(pack, { note: '' }))).toMatchObject({ kind: 'dead', error });
    expect(await backend.job(jobId)).toMatchObject({ state: 'dead', outcome: 'permanent', error });
    expect(backend.jobs()).toHaveLength(1);
  });
});

test('a call of the queue takes a thousand jobs, or none', async () => {
  const { backend, queue } = start();
  const requests = Array.from({ length: 1_001 }, () => ({ task: pack, payload: { note: '' }, options: {} }));
  await expect(queue.enqueueAll(requests)).rejects.toMatchObject({ code: 'COORD_PAYLOAD_TOO_LARGE' });
  expect(backend.jobs()).toEqual([]);
  expect(await queue.enqueueAll(requests.slice(1))).toHaveLength(1_000);
});

test('a payload that is no JSON is refused where it is enqueued', async () => {
  const odd = defineTask({ name: 'warehouse.odd', payload: z.unknown() });
  const { outcome } = await attempt(({ enqueue }) => enqueue(odd, undefined));
  expect(outcome).toMatchObject({ kind: 'dead', error: { code: 'COORD_PAYLOAD_INVALID' } });
});
