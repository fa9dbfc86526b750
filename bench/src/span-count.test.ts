import { expect, test } from '@jest/globals';
import { countSpans } from './span-count.ts';

const field = (number: number, ...content: (Buffer | string)[]) => {
  const body = Buffer.concat(content.map((part) => Buffer.from(part)));
  const length = body.length < 128 ? [body.length] : [(body.length & 127) | 128, body.length >> 7];
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), body]);
};
const span = field(2, 'a span');

test('counts the spans of all scopes and resources, and nothing else', () => {
  const scope = field(2, field(1, 'a scope'), span, span, field(3, 'a schema'));
  const message = Buffer.concat([field(1, field(1, 'a resource'), scope, scope), field(1, scope), field(9, 'unknown')]);
  expect(countSpans(message)).toBe(6);
});

test('reads lengths of more than one byte', () => {
  expect(countSpans(field(1, field(2, ...Array.from({ length: 30 }, () => span))))).toBe(30);
});
