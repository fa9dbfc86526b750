import { expect, test } from '@jest/globals';
import { RateLimit, type Rate } from './rate-limit.ts';

/** A limit with a clock of its own, and how many of `count` requests at once it lets through. */
function limited(rate: Rate) {
  let nowMs = 1_000_000;
  const limit = new RateLimit(rate, () => nowMs);
  return {
    wait: (ms: number) => void (nowMs += ms),
    letThrough: (count: number, caller = 'shop') =>
      Array.from({ length: count }, () => {
        try {
          limit.take(caller);
          return 1 as number;
        } catch {
          return 0;
        }
      }).reduce((sum, one) => sum + one, 0),
  };
}

test('a caller may send as many at once as the burst, and then as many as come back in time', () => {
  const { wait, letThrough } = limited({ perSecond: 10, burst: 5 });
  expect(letThrough(20)).toBe(5);
  wait(100);
  expect(letThrough(20)).toBe(1);
  wait(300);
  expect(letThrough(20)).toBe(3);
  wait(60_000);
  expect(letThrough(20)).toBe(5);
});

test('what was refused costs nothing', () => {
  const { wait, letThrough } = limited({ perSecond: 1 });
  expect(letThrough(1_000)).toBe(1);
  wait(1_000);
  expect(letThrough(1)).toBe(1);
});

test('a steady sender at the rate is never refused', () => {
  const { wait, letThrough } = limited({ perSecond: 3, burst: 1 });
  for (let request = 0; request < 1_000; request += 1) {
    expect(letThrough(1)).toBe(1);
    wait(1_000 / 3);
  }
});

test('callers do not share', () => {
  const { letThrough } = limited({ perSecond: 2 });
  expect(letThrough(3, 'shop')).toBe(2);
  expect(letThrough(3, 'other-shop')).toBe(2);
});

test('callers are many: those who paused are forgotten, and nobody is let through for it', () => {
  const { wait, letThrough } = limited({ perSecond: 1, burst: 2 });
  for (let caller = 0; caller < 600; caller += 1) expect(letThrough(3, `gone-${caller}`)).toBe(2);
  wait(1_500);
  expect(letThrough(3, 'shop')).toBe(2);
  for (let caller = 0; caller < 3_000; caller += 1) expect(letThrough(3, `new-${caller}`)).toBe(2);
  // Half a second is missing to those before, and all of two to this one.
  expect([letThrough(3, 'gone-0'), letThrough(1, 'shop'), letThrough(1, 'new-0')]).toEqual([1, 0, 0]);
});
