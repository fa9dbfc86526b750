import { describe, expect, test } from '@jest/globals';
import { isNewer, nextVersion } from './version.ts';

describe('the version after', () => {
  test.each([
    ['1.4.2', 'major', '2.0.0'],
    ['1.4.2', 'minor', '1.5.0'],
    ['1.4.2', 'patch', '1.4.3'],
    // As npm reads ^0.4.2: whoever takes the next patch must not be broken.
    ['0.4.2', 'major', '0.5.0'],
    ['0.4.2', 'minor', '0.4.3'],
    ['0.4.2', 'patch', '0.4.3'],
  ] as const)('%s and a change that is %s is %s', (current, weight, next) => {
    expect(nextVersion(current, weight)).toBe(next);
  });
});

test('versions are compared by number, not by letter', () => {
  expect(isNewer('0.10.0', '0.9.9')).toBe(true);
  expect(isNewer('1.0.0', '1.0.0')).toBe(false);
  expect(isNewer('1.2.9', '1.10.0')).toBe(false);
});

test.each(['1.2', '01.2.3', '1.2.3-rc.1', 'latest'])('%s is no version', (text) => {
  expect(() => isNewer(text, '1.0.0')).toThrow('write it as 1.2.3');
});
