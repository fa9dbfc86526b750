import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { RepeatedErrors } from './repeated-errors.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

test('an error that is met again and again is logged once in ten seconds, and another one at once', () => {
  const lines: string[] = [];
  const errors = new RepeatedErrors(({ err }, message) => lines.push(`${message} (${(err as Error).message})`));
  const meet = (message: string) => {
    for (let i = 0; i < 100; i += 1) errors.report(new Error(message), 'keeping the queues failed');
  };
  meet('boom');
  meet('bang');
  expect(lines).toEqual(['keeping the queues failed (boom)', 'keeping the queues failed (bang)']);
  jest.advanceTimersByTime(9_999);
  meet('boom');
  expect(lines).toHaveLength(2);
  jest.advanceTimersByTime(1);
  meet('boom');
  expect(lines).toHaveLength(3);
});
