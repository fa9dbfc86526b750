import { inspect } from 'node:util';
import { expect, test } from '@jest/globals';
import { Secret } from './secret.ts';

const secret = new Secret('hunter2');

test('a secret gives its value to those who ask for it by name', () => {
  expect(secret.reveal()).toBe('hunter2');
});

test.each([
  ['a template', () => `${secret}`],
  ['JSON', () => JSON.stringify({ secret })],
  ['the console', () => inspect({ secret }, { showHidden: true, depth: 9 })],
  ['a copy of its fields', () => JSON.stringify({ ...secret })],
])('a secret does not show in %s', (_where, print) => {
  expect(print()).not.toContain('hunter2');
});

test('a printed secret says what it is', () => {
  expect([String(secret), JSON.stringify(secret), inspect(secret)]).toEqual(['[secret]', '"[secret]"', '[secret]']);
});
