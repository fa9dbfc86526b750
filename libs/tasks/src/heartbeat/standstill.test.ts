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
  test('says once that it stands still, once that the lease is over, and once to give up', () => {
    expect(standingStill(new StandstillWatch(30_000), 120_000)).toEqual([
      [1_000, 'tell'],
      [30_000, 'lease-over'],
      [60_000, 'give-up'],
    ]);
  });

  test('says the same of a lease that is shorter than what is worth telling', () => {
    expect(standingStill(new StandstillWatch(300), 40_000)).toEqual([
      [1_000, 'tell'],
      [1_250, 'lease-over'],
      [30_500, 'give-up'],
    ]);
  });

  test('has nothing to say while it turns, and begins anew when it turns again', () => {
    const watch = new StandstillWatch(30_000);
    for (let beats = 0; beats < 1_000; beats++) expect(watch.look(beats)).toBe('none');
    standingStill(watch, 31_000);
    expect(watch.leaseIsOver).toBe(true);
    expect(watch.look(8)).toBe('none');
    expect(watch.leaseIsOver).toBe(false);
    expect(standingStill(watch, 2_000)).toEqual([[1_000, 'tell']]);
  });
});
