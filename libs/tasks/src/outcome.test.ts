import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { classify, failureOf } from './outcome.ts';
import { cancel, permanent, retryLater, Snooze, TaskError } from './task-error.ts';
import { defineTask } from './task.ts';

const task = defineTask({
  name: 'shop.notify',
  payload: z.strictObject({ id: z.string() }),
  maxAttempts: 3,
  giveUpAfterMs: 10_000,
  backoff: () => 100,
});
const first = { attempt: 1, ageMs: 0 };

describe('what becomes of a job whose handler threw', () => {
  test('an error that says nothing about itself is tried again after the backoff', () => {
    expect(classify(new Error('boom'), task, first)).toEqual({
      kind: 'retried',
      delayMs: 100,
      error: { code: 'COORD_HANDLER_FAILED', message: 'Error: boom' },
    });
  });

  test('a permanent error makes a dead letter at the first attempt', () => {
    expect(classify(permanent('no such course'), task, first)).toMatchObject({ kind: 'dead', reason: 'permanent' });
  });

  test('the last attempt makes a dead letter', () => {
    const last = { attempt: 3, ageMs: 0 };
    expect(classify(new Error('boom'), task, last)).toMatchObject({ kind: 'dead', reason: 'attempts-spent' });
  });

  test('a job that would pass its horizon is given up', () => {
    const old = { attempt: 1, ageMs: 9_950 };
    expect(classify(new Error('boom'), task, old)).toMatchObject({ kind: 'dead', reason: 'gave-up' });
  });

  test('a handler may wait without spending an attempt, even at the last one', () => {
    const last = { attempt: 3, ageMs: 0 };
    expect(classify(retryLater(500, 'not yet'), task, last)).toMatchObject({ kind: 'snoozed', delayMs: 500 });
  });

  test('a wait for a reason with a code of its own says so', () => {
    const open = new Snooze(500, 'the lms is failing', 'COORD_DOWNSTREAM_OPEN');
    expect(classify(open, task, first)).toEqual({
      kind: 'snoozed',
      delayMs: 500,
      error: { code: 'COORD_DOWNSTREAM_OPEN', message: 'the lms is failing' },
    });
  });

  test('waiting has the same horizon as everything else', () => {
    expect(classify(retryLater(20_000, 'not yet'), task, first)).toMatchObject({ kind: 'dead', reason: 'gave-up' });
  });

  test('a rate limit is waited out: never earlier than told, spread after it, and no attempt is spent', () => {
    const limited = new TaskError('rate-limited', 'COORD_DOWNSTREAM_RATE_LIMITED', 'slow down', {
      retryAfterMs: 2_000,
    });
    expect(classify(limited, task, first)).toMatchObject({ kind: 'snoozed', delayMs: 2_100 });
  });

  test.each([
    [undefined, 30_000],
    [0, 30_000],
    [NaN, 30_000],
    [1, 1_000],
    [86_400_000, 3_600_000],
  ])('a rate limit of %p ms is never waited for in a hurry, nor for longer than an hour', (retryAfterMs, leastMs) => {
    const limited = new TaskError('rate-limited', 'COORD_DOWNSTREAM_RATE_LIMITED', 'slow down', {
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    });
    const patient = { ...task, giveUpAfterMs: 10_000_000 };
    expect(classify(limited, patient, first)).toMatchObject({ kind: 'snoozed', delayMs: leastMs + 100 });
  });

  test('an unknown outcome is tried again', () => {
    const unknown = new TaskError('unknown-outcome', 'COORD_DOWNSTREAM_UNKNOWN_OUTCOME');
    expect(classify(unknown, task, first)).toMatchObject({ kind: 'retried', delayMs: 100 });
  });

  test('a cancelled job ends without a dead letter', () => {
    expect(classify(cancel('withdrawn'), task, first)).toMatchObject({ kind: 'cancelled' });
  });

  test('a falsy or foreign value thrown is a failure like any other', () => {
    expect(classify(undefined, task, first)).toMatchObject({ kind: 'retried' });
    expect(classify('text', task, first)).toMatchObject({ kind: 'retried', error: { message: 'text' } });
  });
});

test('a failure keeps a bounded message and no stack', () => {
  const failure = failureOf(new Error('x'.repeat(5_000)));
  expect(failure.message).toHaveLength(1_000);
  expect(Object.keys(failure)).toEqual(['code', 'message']);
});
