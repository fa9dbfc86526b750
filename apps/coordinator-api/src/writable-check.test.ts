import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { sharedCheck } from './writable-check.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

test('who asks during a check or soon after it shares its result, good or bad; later ones have it made again', async () => {
  const results = [Promise.resolve(), Promise.reject(new Error('away')), Promise.resolve()];
  const check = jest.fn(() => results.shift() as Promise<void>);
  const shared = sharedCheck(check);

  await Promise.all([shared(), shared()]);
  await jest.advanceTimersByTimeAsync(499);
  await shared();
  expect(check).toHaveBeenCalledTimes(1);

  await jest.advanceTimersByTimeAsync(1);
  await expect(shared()).rejects.toThrow('away');
  await expect(shared()).rejects.toThrow('away');
  expect(check).toHaveBeenCalledTimes(2);

  await jest.advanceTimersByTimeAsync(500);
  await shared();
  expect(check).toHaveBeenCalledTimes(3);
});
