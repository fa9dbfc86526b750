import { expect, test } from '@jest/globals';
import { percentile } from './percentile.ts';

test('a percentile is one of the values, by nearest rank', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
  expect([0.5, 0.99, 1].map((part) => percentile(hundred, part))).toEqual([50, 99, 100]);
  expect(percentile([7], 0.5)).toBe(7);
});

test('a percentile of nothing is no number', () => {
  expect(percentile([], 0.99)).toBeNaN();
});
