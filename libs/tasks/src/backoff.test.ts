import { describe, expect, test } from '@jest/globals';
import { exponential } from './backoff.ts';

describe('exponential backoff', () => {
  const highest = () => 1;

  test('doubles its bound from one attempt to the next', () => {
    const backoff = exponential({ firstMs: 100, maxMs: 10_000 });
    expect([1, 2, 3, 4].map((attempt) => backoff(attempt, highest))).toEqual([100, 200, 400, 800]);
  });

  test('never passes its cap, however many attempts were made', () => {
    const backoff = exponential({ firstMs: 100, maxMs: 5_000 });
    expect([7, 50, 1_000_000].map((attempt) => backoff(attempt, highest))).toEqual([5_000, 5_000, 5_000]);
  });

  test('draws from the whole range below its bound, so that jobs which failed together spread', () => {
    const backoff = exponential({ firstMs: 1_000 });
    expect([0, 0.25, 0.5].map((drawn) => backoff(1, () => drawn))).toEqual([0, 250, 500]);
  });

  test('refuses settings that make no sense', () => {
    expect(() => exponential({ firstMs: 0 })).toThrow(RangeError);
    expect(() => exponential({ factor: 0.5 })).toThrow(RangeError);
  });
});
