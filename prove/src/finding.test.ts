import { describe, expect, test } from '@jest/globals';
import { Findings, holds, textOf } from './finding.ts';

const expectation = (value: number, bound: { atMost: number } | { atLeast: number } | { is: number }) => ({
  ...{ what: 'lost', value, bound, unit: '' },
});

describe('a figure', () => {
  test.each([
    [3, { atMost: 3 }, true],
    [4, { atMost: 3 }, false],
    [3, { atLeast: 3 }, true],
    [2, { atLeast: 3 }, false],
    [0, { is: 0 }, true],
    [1, { is: 0 }, false],
    [NaN, { atMost: 3 }, false],
    [NaN, { atLeast: 3 }, false],
    [-Infinity, { atLeast: 0 }, false],
  ])('of %d with the bound %j: %s', (value, bound, wanted) => {
    expect(holds(expectation(value, bound))).toBe(wanted);
  });

  test('is told with what it has to be', () => {
    expect(textOf(expectation(0, { is: 0 }))).toBe('lost 0');
    expect(textOf(expectation(3, { is: 0 }))).toBe('lost 3 (has to be 0)');
    expect(textOf({ ...expectation(12.5, { atMost: 20 }), unit: 'ms' })).toBe('lost 12.50 ms (at most 20 ms)');
  });

  test('that does not hold is among the broken ones', () => {
    const findings = new Findings();
    findings.expect('lost', 0, { is: 0 });
    findings.expect('ghosts', 2, { is: 0 });
    expect(findings.broken.map(({ what }) => what)).toEqual(['ghosts']);
  });
});
