import { expect, test } from '@jest/globals';
import { ratioOf, spreadOf } from './statistics.ts';

test('the median of an even number of values lies between the middle two', () => {
  expect(spreadOf([4, 1, 3, 10])).toEqual({ median: 3.5, least: 1, greatest: 10 });
  expect(spreadOf([7])).toEqual({ median: 7, least: 7, greatest: 7 });
});

test('ratios are taken round by round, so that a slow round does not count as a dear variant', () => {
  expect(ratioOf([2, 20, 200], [1, 10, 100])).toEqual({ median: 2, least: 2, greatest: 2 });
});
