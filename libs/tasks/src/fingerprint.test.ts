import { expect, test } from '@jest/globals';
import { fingerprintOf, isOtherContent } from './fingerprint.ts';

const [one, two] = ['{"sku":"a"}', '{"sku":"b"}'];

test('payloads of one version are told from each other', () => {
  for (const version of [1, 2]) {
    expect(isOtherContent(fingerprintOf(one, version), fingerprintOf(one, version))).toBe(false);
    expect(isOtherContent(fingerprintOf(one, version), fingerprintOf(two, version))).toBe(true);
  }
});

test('payloads of two versions are not compared: the same request becomes another payload in another release', () => {
  expect(isOtherContent(fingerprintOf(one, 1), fingerprintOf(two, 2))).toBe(false);
  expect(isOtherContent(fingerprintOf(two, 3), fingerprintOf(one, 2))).toBe(false);
});

test('the fingerprint of version 1 is a bare hash, as releases without versions have stored it', () => {
  expect(fingerprintOf(one, 1)).toMatch(/^[\w-]{22}$/);
});
