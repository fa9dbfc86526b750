import { describe, expect, test } from '@jest/globals';
import { growth } from './growth.ts';

const readings = (valueAt: (i: number) => number) =>
  Array.from({ length: 101 }, (_, i) => ({ at: i, value: valueAt(i) }));

describe('growth', () => {
  test('is what is added over the last three quarters', () => {
    expect(growth(readings((i) => 5 + 2 * i))).toBeCloseTo(150);
  });

  test('is none of what only goes up and down, or has a peak', () => {
    expect(Math.abs(growth(readings((i) => (i % 2 === 0 ? 10 : 30))))).toBeLessThan(2);
    expect(Math.abs(growth(readings((i) => (i === 62 ? 1_000 : 10))))).toBeLessThan(5);
  });

  test('is none of what only the beginning adds', () => {
    expect(growth(readings((i) => Math.min(i, 25)))).toBeCloseTo(0);
  });

  test('of too few readings is no number', () => {
    expect(growth(readings((i) => i).slice(0, 2))).toBeNaN();
  });
});
