import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { eventually } from '@coordinator/task-testing';
import { LoopWatch, type Standstill } from './loop-watch.ts';

let watch: LoopWatch;
let told: Standstill[];
beforeEach(() => {
  told = [];
  watch = new LoopWatch((still) => told.push(still));
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

test('a standstill is told with how much of it was computing', async () => {
  const busy = block(300);
  const computed = await eventually(() => {
    const still = told.find(({ to }) => to >= busy.to);
    if (!still) throw new Error('it is not over');
    return still.cpuMs;
  });
  const idle = Date.now();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
  const slept = await eventually(() => {
    const still = told.find(({ from }) => from >= idle - 50);
    if (!still) throw new Error('it is not over');
    return still.cpuMs;
  });
  expect(computed).toBeGreaterThan(slept);
});
