import { expect, test } from '@jest/globals';
import { parseRetryAfter } from './retry-after.ts';

const nowMs = Date.UTC(2026, 0, 2, 3, 4, 5);
const HOUR_MS = 3_600_000;
const after = (text: string) => parseRetryAfter({ 'retry-after': text }, { nowMs });
const reset = (text: string) => parseRetryAfter({ 'x-ratelimit-reset': text }, { nowMs });

test.each([
  ['7', 7_000],
  [' 7 ', 7_000],
  ['3600', HOUR_MS],
  ['1000000000', HOUR_MS],
  ['9'.repeat(400), HOUR_MS],
])('Retry-After: %s is a number of seconds, capped', (text, waitMs) => {
  expect(after(text)).toBe(waitMs);
});

test.each(['Fri, 02 Jan 2026 03:04:35 GMT', 'Friday, 02-Jan-26 03:04:35 GMT', 'Fri Jan  2 03:04:35 2026'])(
  'Retry-After: %s is a date',
  (text) => {
    expect(after(text)).toBe(30_000);
  },
);

test('a date far away is capped', () => {
  expect(after('Sat, 02 Jan 2027 03:04:35 GMT')).toBe(HOUR_MS);
});

test.each([
  '0',
  '00',
  '-5',
  '',
  '1.5',
  '1e9',
  '0x10',
  'soon',
  'in 30 s',
  '2026-01-02T03:04:35Z',
  'Fri, 99 Xxx 2026 03:04:35 GMT',
])('Retry-After: %p says nothing', (text) => {
  expect(after(text)).toBeUndefined();
});

test('a date in the past says nothing', () => {
  expect(after('Fri, 02 Jan 2026 03:04:04 GMT')).toBeUndefined();
});

test('X-RateLimit-Reset is a time in seconds since 1970', () => {
  expect(reset(String(nowMs / 1_000 + 12))).toBe(12_000);
  expect(reset(String(nowMs / 1_000 + 86_400))).toBe(HOUR_MS);
});

test.each([String(nowMs / 1_000 - 1), '30', '-1', 'x'])('X-RateLimit-Reset: %s says nothing', (text) => {
  expect(reset(text)).toBeUndefined();
});

test('a readable Retry-After comes before X-RateLimit-Reset, an unreadable one does not', () => {
  const at = String(nowMs / 1_000 + 12);
  expect(parseRetryAfter({ 'retry-after': '3', 'x-ratelimit-reset': at }, { nowMs })).toBe(3_000);
  expect(parseRetryAfter({ 'retry-after': 'x', 'x-ratelimit-reset': at }, { nowMs })).toBe(12_000);
});

test('the cap can be set', () => {
  expect(parseRetryAfter({ 'retry-after': '60' }, { capMs: 1_000 })).toBe(1_000);
});
