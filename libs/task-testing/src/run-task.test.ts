import { defineEvent, subscribe } from '@coordinator/events';
import { defineExtension } from '@coordinator/extension';
import { pii } from '@coordinator/logging';
import {
  cancel,
  defineTask,
  exponential,
  permanent,
  retryLater,
  Snooze,
  TaskError,
  type TaskHandler,
} from '@coordinator/tasks';
import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { expectEnqueued } from './expect-enqueued.ts';
import { runTask } from './run-task.ts';

const backoff = exponential({ firstMs: 1_000, maxMs: 60_000 });
const user = pii(z.string(), 'username', 'local_api');
const enrol = defineTask({ name: 'lms.enrol', payload: z.strictObject({ user }), maxAttempts: 3, backoff });
const welcome = defineTask({ name: 'mail.welcome', payload: z.strictObject({ user }), queue: 'mail' });
const enrolled = defineEvent({ name: 'user.enrolled', data: z.strictObject({ user }) });
const ada = { user: 'ada' };

describe('runTask', () => {
  test('gives a handler its payload, its job and a log', async () => {
    const result = await runTask(
      enrol,
      async ({ user }, { job, attempt, log, signal }) => {
        expect(job).toMatchObject({ task: 'lms.enrol', queue: 'lms', subject: 'user:ada' });
        expect([attempt, signal.aborted]).toEqual([1, false]);
        log.info({ user }, 'enrolling');
      },
      ada,
      { subject: 'user:ada' },
    );
    expect(result).toMatchObject({ outcome: { kind: 'completed' }, enqueued: [], emitted: [], steps: {} });
    expect(result.log).toContainEqual({
      level: 'info',
      message: 'enrolling',
      fields: expect.objectContaining({ user: 'ada', task: 'lms.enrol', attempt: 1 }),
    });
  });

  test('classifies what a handler throws, with the delay at its longest', async () => {
    const outcomeOf = async (error: unknown, attempt = 1) => {
      const { outcome } = await runTask(enrol, () => Promise.reject(error), ada, { attempt });
      return outcome;
    };
    expect(await outcomeOf(new Error('boom'))).toMatchObject({ kind: 'retried', delayMs: 1_000 });
    expect(await outcomeOf(new Error('boom'), 2)).toMatchObject({ kind: 'retried', delayMs: 2_000 });
    expect(await outcomeOf(new Error('boom'), 3)).toMatchObject({ kind: 'dead', reason: 'attempts-spent' });
    expect(await outcomeOf(permanent('no such course'))).toMatchObject({ kind: 'dead', reason: 'permanent' });
    expect(await outcomeOf(retryLater(5_000, 'not yet'))).toMatchObject({ kind: 'snoozed', delayMs: 5_000 });
    expect(await outcomeOf(cancel('withdrawn'))).toMatchObject({ kind: 'cancelled' });
  });

  test('shows the jobs that a completed attempt enqueued, whatever is installed', async () => {
    const { enqueued } = await runTask(
      enrol,
      async ({ user }, context) => context.enqueue(welcome, { user }, { idempotencyKey: 'k1', delayMs: 60_000 }),
      ada,
      { subject: 'user:ada' },
    );
    expect(enqueued).toEqual([
      expect.objectContaining({
        ...{ task: 'mail.welcome', payload: ada, subject: 'user:ada', idempotencyKey: 'k1', delayMs: 60_000 },
      }),
    ]);
  });

  test('shows neither jobs nor events of an attempt that failed', async () => {
    const { outcome, enqueued, emitted } = await runTask(
      enrol,
      async ({ user }, context) => {
        context.enqueue(welcome, { user });
        context.emit(enrolled, { user });
        throw new Error('after all');
      },
      ada,
    );
    expect([outcome.kind, enqueued, emitted]).toEqual(['retried', [], []]);
  });

  test('shows the events, and runs the subscriptions of what is installed', async () => {
    const mail = defineExtension({
      name: 'mail',
      config: z.object({}),
      tasks: { welcome },
      handlers: async () => ({ welcome: async () => undefined }),
      events: [enrolled],
      subscriptions: [subscribe(enrolled, welcome, ({ user }) => ({ user }))],
    });
    const started: number[] = [];
    const handler: TaskHandler<typeof enrol> = async (payload, context) => {
      started.push(context.emit(enrolled, payload));
    };
    const alone = await runTask(enrol, handler, ada);
    const together = await runTask(enrol, handler, ada, { installed: [mail], subject: 'user:ada' });
    expect(started).toEqual([0, 1]);
    expect(alone.emitted).toEqual([
      { event: 'user.enrolled', data: ada, subject: undefined, idempotencyKey: undefined },
    ]);
    expect(alone.enqueued).toEqual([]);
    expectEnqueued(together, welcome, ada);
  });

  test('checks the data of an event that nobody subscribes', async () => {
    const { outcome } = await runTask(enrol, async (_, context) => void context.emit(enrolled, {} as never), ada);
    expect(outcome).toMatchObject({ kind: 'dead', error: { message: expect.stringContaining('user.enrolled') } });
  });

  test('replays the steps of earlier attempts and shows the new ones', async () => {
    const calls: string[] = [];
    const result = await runTask(
      enrol,
      async (_, context) => {
        const id = await context.step('find', async () => calls.push('find'));
        await context.step('enrol', async ({ idempotencyKey }) => {
          calls.push('enrol');
          expect(idempotencyKey).toBe(`${context.job.id}:enrol`);
          return { id };
        });
        await context.step('mark', async () => undefined);
      },
      ada,
      { attempt: 2, steps: { find: 42 } },
    );
    expect(result.outcome.kind).toBe('completed');
    expect(calls).toEqual(['enrol']);
    expect(result.steps).toEqual({ find: 42, enrol: { id: 42 }, mark: undefined });
  });

  test('aborts the attempt with the signal, for the reason of the signal', async () => {
    const abort = new AbortController();
    const running = runTask(
      enrol,
      (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('an echo')));
          abort.abort(new Snooze(0, 'the worker was stopped'));
        }),
      ada,
      { signal: abort.signal },
    );
    expect((await running).outcome).toMatchObject({ kind: 'snoozed', delayMs: 0 });
    const lost = AbortSignal.abort(new TaskError('transient', 'COORD_LEASE_LOST'));
    const { outcome } = await runTask(enrol, async (_, { signal }) => signal.throwIfAborted(), ada, { signal: lost });
    expect(outcome).toMatchObject({ kind: 'snoozed', delayMs: 0, error: { code: 'COORD_LEASE_LOST' } });
  });

  test('refuses a payload that could not have been accepted', async () => {
    const bad = { user: 7 } as unknown as { user: string };
    await expect(runTask(enrol, async () => undefined, bad)).rejects.toMatchObject({ code: 'COORD_PAYLOAD_INVALID' });
  });
});

describe('expectEnqueued', () => {
  const result = runTask(enrol, async ({ user }, context) => context.enqueue(welcome, { user }), ada);

  test('gives the job that matches', async () => {
    expect(expectEnqueued(await result, welcome)).toMatchObject({ task: 'mail.welcome', queue: 'mail' });
    expect(expectEnqueued(await result, welcome, { user: expect.stringMatching(/^a/) }).payload).toEqual(ada);
  });

  test('lists what was enqueued instead', async () => {
    const source = await result;
    expect(() => expectEnqueued(source, enrol)).toThrow(
      'No job of lms.enrol was enqueued. Enqueued were:\n  mail.welcome {"user":"ada"}',
    );
    expect(() => expectEnqueued(source, welcome, { user: 'bob' })).toThrow('with {"user":"bob"} was enqueued');
    expect(() => expectEnqueued({ enqueued: [] }, welcome)).toThrow(/Enqueued were:\n {2}none$/);
  });
});
