import { describe, expect, test } from '@jest/globals';
import { LOOK_EVERY_MS, StandstillWatch } from './standstill.ts';

/** What it says, and when, while the loop stands still for as long. */
function standingStill(watch: StandstillWatch, forMs: number): [number, string][] {
  const said: [number, string][] = [];
  for (let i = 0; i <= forMs / LOOK_EVERY_MS; i++) {
    const found = watch.look(7);
    if (found !== 'none') said.push([watch.blockedMs, found]);
  }
  return said;
}

describe('the watch on the event loop', () => {
  test('says once that it stands still, and once to give up', () => {
    expect(standingStill(new StandstillWatch(), 120_000)).toEqual([
      [1_000, 'tell'],
      [60_000, 'give-up'],
    ]);
  });

  test('has nothing to say while it turns, and begins anew when it turns again', () => {
    const watch = new StandstillWatch();
    for (let beats = 0; beats < 1_000; beats++) expect(watch.look(beats)).toBe('none');
    standingStill(watch, 31_000);
    expect(watch.look(8)).toBe('none');
    expect(watch.blockedMs).toBe(0);
    expect(standingStill(watch, 2_000)).toEqual([[1_000, 'tell']]);
  });
});
