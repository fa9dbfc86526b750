import { expect, test } from '@jest/globals';
import { CATCH_UPS, MOST_SLOTS, ON_TIME_MS, slotsToFire } from './catch-up.ts';

const NOW_MS = Date.parse('2026-01-02T03:04:05Z');
/** Three slots, the latest so long ago. */
const slotsAgo = (latestMs: number) => [7_200_000, 3_600_000, 0].map((before) => NOW_MS - latestMs - before);

test.each(CATCH_UPS)('%s makes a job of each slot that comes between two ticks', (catchUp) => {
  const due = [59, 3, 2, 1, 0].map((ago) => NOW_MS - ago * 1_000);
  expect(slotsToFire(due, NOW_MS, catchUp)).toEqual(due);
});

test.each(['skip', 'once'] as const)(
  '%s makes no job of slots that were missed before one that has just come',
  (catchUp) => {
    const due = [ON_TIME_MS + 1, ON_TIME_MS, ON_TIME_MS - 1, 0].map((ago) => NOW_MS - ago);
    expect(slotsToFire(due, NOW_MS, catchUp)).toEqual(due.slice(2));
  },
);

test('skip makes no job of slots that were missed, and one of a slot that has just come', () => {
  expect(slotsToFire(slotsAgo(ON_TIME_MS), NOW_MS, 'skip')).toEqual([]);
  expect(slotsToFire(slotsAgo(ON_TIME_MS - 1), NOW_MS, 'skip')).toEqual([NOW_MS - ON_TIME_MS + 1]);
});

test('once makes one job, of the latest slot, however late', () => {
  expect(slotsToFire(slotsAgo(9e9), NOW_MS, 'once')).toEqual(slotsAgo(9e9).slice(2));
});

test('all makes a job of each slot in their order, at most so many, the oldest left out', () => {
  expect(slotsToFire(slotsAgo(9e9), NOW_MS, 'all')).toEqual(slotsAgo(9e9));
  const minutes = Array.from({ length: MOST_SLOTS + 5 }, (_, n) => NOW_MS + n * 60_000);
  expect(slotsToFire(minutes, NOW_MS, 'all')).toEqual(minutes.slice(5));
});
