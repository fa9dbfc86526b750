import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { eventually } from '@coordinator/task-testing';
import { LoopWatch } from './loop-watch.ts';

let watch: LoopWatch;
beforeEach(() => {
  watch = new LoopWatch();
});
afterEach(() => watch.stop());

/** Blocks the event loop. Returns when it began and when it was over. */
function block(forMs: number): { from: number; to: number } {
  const from = Date.now();
  while (Date.now() < from + forMs);
  return { from, to: Date.now() };
}

test('a standstill counts for the part of it that is in the time asked about', () => {
  const { from, to } = block(300);
  expect(watch.stoodStillMs(from, to)).toBeGreaterThan(200);
  expect(watch.stoodStillMs(to - 100, to)).toBe(100);
  expect(watch.stoodStillMs(from - 1_000, from - 500)).toBe(0);
});

test('standstills add up, and what was before is not counted', async () => {
  const first = block(200);
  await eventually(() => expect(watch.stoodStillMs(first.from, first.to)).toBeGreaterThan(100));
  const second = block(200);
  expect(watch.stoodStillMs(first.from, second.to)).toBeGreaterThan(300);
  expect(watch.stoodStillMs(second.from, second.to)).toBeLessThanOrEqual(second.to - second.from);
});
