import { beforeEach, expect, test } from '@jest/globals';
import { LeaseClock } from './lease-clock.ts';

let nowMs: number;
let clock: LeaseClock;

beforeEach(() => {
  nowMs = 0;
  clock = new LeaseClock(1_000, () => nowMs);
});

test('a lease is over when its time has passed since its renewal was asked for', () => {
  clock.hold(['a', 'b']);
  nowMs = 600;
  clock.renewed(['a'], 500);
  nowMs = 999;
  expect(clock.over(0)).toEqual([]);
  nowMs = 1_000;
  expect(clock.over(0)).toEqual(['b']);
  nowMs = 1_400;
  expect(clock.over(0)).toEqual(['b']);
  expect(clock.over(100)).toEqual(['a', 'b']);
});

test('one that was never renewed began after the look before the first at which it was there', () => {
  nowMs = 300;
  clock.hold([]);
  nowMs = 700;
  clock.hold(['a']);
  nowMs = 1_299;
  expect(clock.over(0)).toEqual([]);
  nowMs = 1_300;
  expect(clock.over(0)).toEqual(['a']);
});

test('one that was renewed late is not over any more', () => {
  clock.hold(['a']);
  nowMs = 5_000;
  expect(clock.over(0)).toEqual(['a']);
  clock.renewed(['a'], 5_000);
  expect(clock.over(0)).toEqual([]);
});

test('what is not held any more is forgotten, also when its renewal is answered afterwards', () => {
  clock.hold(['a']);
  clock.hold([]);
  clock.renewed(['a'], 10);
  nowMs = 60_000;
  expect(clock.over(0)).toEqual([]);
});
