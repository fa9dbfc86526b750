import { describe, expect, test } from '@jest/globals';
import { readOptions } from './prove-options.ts';

describe('the command line', () => {
  test('means the tier pr and a report when it is empty', () => {
    expect(readOptions([])).toMatchObject({ tier: 'pr', only: [], seed: undefined, planted: false, report: true });
  });

  test('takes numbers of promises, and writes no report of a part unless asked to', () => {
    expect(readOptions(['--only', 'p5, P7'])).toMatchObject({ only: ['P5', 'P7'], report: false });
    expect(readOptions(['--only', 'P5', '--report'])).toMatchObject({ report: true });
    expect(readOptions(['--no-report'])).toMatchObject({ report: false });
    expect(readOptions(['--all', '--full', 'p1'])).toMatchObject({ all: true, full: ['P1'], report: true });
  });

  test.each([
    [['--tier', 'yearly'], '--tier takes pr, nightly or weekly'],
    [['--only', 'P5,six'], '--only takes numbers of promises, as in P5,P7, and not "SIX"'],
    [['--full', 'one'], '--full takes numbers of promises, as in P5,P7, and not "ONE"'],
    [['--seed', 'x'], '--seed takes a whole number of at least 0'],
  ])('refuses %j', (args, message) => {
    expect(() => readOptions(args)).toThrow(message);
  });
});
