import { describe, expect, test } from '@jest/globals';
import { faultSchedule } from './fault-schedule.ts';
import { seededRandom } from './random.ts';

const schedule = (seed: number) =>
  faultSchedule({
    random: seededRandom(seed),
    durationMs: 60_000,
    kills: { worker: 5, api: 3, redis: 2 },
    cuts: 20,
    freezes: 1,
    scriptFlushes: 1,
  });

describe('a schedule of faults', () => {
  test('is the same for the same seed, and another one for another seed', () => {
    expect(schedule(7)).toEqual(schedule(7));
    expect(schedule(7)).not.toEqual(schedule(8));
  });

  test('holds every fault that was asked for, in order, within its time', () => {
    const faults = schedule(7);
    const count = (kind: string, victim: string) => faults.filter((f) => f.kind === kind && f.victim === victim).length;

    expect([count('kill', 'worker'), count('kill', 'api'), count('kill', 'redis')]).toEqual([5, 3, 2]);
    expect([count('freeze', 'worker'), count('script-flush', 'redis'), count('cut', 'redis')]).toEqual([1, 1, 20]);
    const times = faults.map(({ atMs }) => atMs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(Math.min(...times)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...times)).toBeLessThan(60_000);
  });

  test('cuts connections in every manner', () => {
    const manners = new Set(schedule(7).flatMap(({ kind, manner }) => (kind === 'cut' ? [manner] : [])));
    expect([...manners].sort()).toEqual(['drop-replies', 'refuse', 'reset', 'stall']);
    expect(schedule(7).every(({ kind, manner }) => kind === 'cut' || manner === 'pass')).toBe(true);
  });

  test('reaches every process of a kind', () => {
    const faults = faultSchedule({
      random: seededRandom(1),
      durationMs: 1_000,
      kills: { worker: 40, api: 0, redis: 0 },
    });
    expect(new Set(faults.map(({ index }) => index))).toEqual(new Set([0, 1]));
  });
});
