import { RecordingLog } from '@coordinator/task-testing';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { Claim } from './queue-backend.ts';
import { RunningAttempts } from './running-attempts.ts';

const claim = (token: string): Claim => ({
  ...{ jobId: `job-${token}`, queue: 'lms', token, attempt: 1, crashed: 0, envelope: '', payload: '' },
  ...{ createdAtMs: 0, firstStartedAtMs: 0, dueAtMs: 0, claimedAtMs: 0, steps: new Map(), attemptReports: [] },
});

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

describe('running attempts', () => {
  test('are stuck when their handler goes on long after it was told to stop', async () => {
    const log = new RecordingLog();
    const stuck: unknown[] = [];
    const running = new RunningAttempts(log, (...told) => stuck.push(told));
    let end = () => undefined as void;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const runs = ['a', 'b'].map((token) => running.during(claim(token), () => ended));
    jest.advanceTimersByTime(3_600_000);
    expect(stuck).toEqual([]);

    running.stop({ token: 'a', why: 'lost' });
    jest.advanceTimersByTime(9_999);
    expect(stuck).toEqual([]);
    jest.advanceTimersByTime(1);
    running.stop({ token: 'b', why: { code: 'COORD_CANCELLED', message: 'withdrawn' } });
    jest.advanceTimersByTime(10_000);
    expect(stuck).toEqual([
      ['lms', 1],
      ['lms', 2],
    ]);
    expect(log.lines).toContainEqual(
      expect.objectContaining({
        message: expect.stringContaining('ignores its signal'),
        fields: expect.objectContaining({ jobId: 'job-b', code: 'COORD_CANCELLED' }),
      }),
    );
    end();
    await Promise.all(runs);
    expect(running.size).toBe(0);
  });

  test('are not stuck while Redis is away, which they may wait for, but when it is back', async () => {
    const stuck: unknown[] = [];
    const running = new RunningAttempts(new RecordingLog(), (...told) => stuck.push(told));
    let end = () => undefined as void;
    const run = running.during(claim('a'), () => new Promise<void>((resolve) => (end = resolve)));
    for (let times = 0; times < 100; times++) {
      running.stop({ token: 'a', why: 'over' });
      jest.advanceTimersByTime(9_999);
    }
    expect(running.attempts()[0]?.abort.signal.reason).toMatchObject({ code: 'COORD_LEASE_LOST' });
    expect(stuck).toEqual([]);
    jest.advanceTimersByTime(1);
    running.stop({ token: 'a', why: 'over' });
    jest.advanceTimersByTime(60_000);
    expect(stuck).toEqual([['lms', 1]]);
    end();
    await run;
  });

  test('that end when they are told to are not', async () => {
    const stuck: unknown[] = [];
    const running = new RunningAttempts(new RecordingLog(), (...told) => stuck.push(told));
    const run = running.during(
      claim('a'),
      ({ abort }) =>
        new Promise<void>((resolve) => {
          abort.signal.addEventListener('abort', () => resolve());
        }),
    );
    running.stopAll(new Error('the worker stops'));
    await run;
    jest.advanceTimersByTime(60_000);
    expect([stuck, jest.getTimerCount()]).toEqual([[], 0]);
  });
});
