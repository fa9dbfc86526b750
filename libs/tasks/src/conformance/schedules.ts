import { beforeEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { NewJob } from '../queue-backend.ts';
import type { BackendUnderTest } from './bench.ts';

const HOUR_MS = 3_600_000;

/** What every QueueBackend must do with schedules; run by the tests of each. */
export function describeSchedules(name: string, make: () => Promise<BackendUnderTest>): void {
  describe(`${name}: schedules`, () => {
    let at: BackendUnderTest;
    beforeEach(async () => void (at = await make()));

    const keep = (...keys: string[]) => at.backend.keepSchedules(keys);
    /** How far one schedule has come, and the time. */
    async function read(key: string): Promise<{ nowMs: number; lastMs: number }> {
      const { nowMs, lastSlotsMs } = await keep(key);
      return { nowMs, lastMs: lastSlotsMs[0] as number };
    }

    test('that are new start from now, each by itself, and stay where they are', async () => {
      const first = await read('a');
      expect(first.lastMs).toBe(first.nowMs);
      await at.advance(2);
      const both = await keep('b', 'a');
      expect(both.lastSlotsMs).toEqual([both.nowMs, first.lastMs]);
      expect(both.nowMs).toBeGreaterThan(first.nowMs);
    });

    test('move on with the jobs of their slots', async () => {
      const { nowMs, lastMs } = await read('a');
      await at.advance(10);
      const jobs = [aJob(), aJob()];
      expect(await at.backend.fireSchedule('a', lastMs, nowMs + 5, jobs)).toEqual(
        jobs.map(({ id, task }) => ({ jobId: id, task, state: 'waiting', duplicate: false })),
      );
      expect((await read('a')).lastMs).toBe(nowMs + 5);
      expect([await at.pop('lms'), await at.pop('lms')]).toEqual(jobs.map(({ id }) => id));
    });

    test('fire once: who comes second, or knows another last slot, writes nothing', async () => {
      const { nowMs, lastMs } = await read('a');
      await at.advance(10);
      const job = aJob();
      await at.backend.fireSchedule('a', lastMs, nowMs + 5, [job]);
      for (const [from, to] of [[lastMs, nowMs + 5] as const, [lastMs, nowMs + 6] as const]) {
        const late = aJob();
        expect(await at.backend.fireSchedule('a', from, to, [late])).toBe('stale');
        expect(await at.backend.job(late.id)).toBeUndefined();
      }
      expect(await at.backend.fireSchedule('never kept', lastMs, nowMs, [aJob()])).toBe('stale');
      expect((await read('a')).lastMs).toBe(nowMs + 5);
      expect([await at.pop('lms'), await at.pop('lms')]).toEqual([job.id, undefined]);
    });

    test('move on without a job, too', async () => {
      const { nowMs, lastMs } = await read('a');
      await at.advance(10);
      expect(await at.backend.fireSchedule('a', lastMs, nowMs + 5, [])).toEqual([]);
      expect((await read('a')).lastMs).toBe(nowMs + 5);
    });

    test('take a slot that has a job already for done', async () => {
      const dedupe = { key: 'lms.enrol:a@slot', fingerprint: '', windowMs: HOUR_MS };
      const there = aJob({ dedupe });
      await at.backend.enqueue([there]);
      const { nowMs, lastMs } = await read('a');
      const receipts = await at.backend.fireSchedule('a', lastMs, nowMs, [aJob({ dedupe })]);
      expect(receipts).toMatchObject([{ jobId: there.id, duplicate: true }]);
    });

    test('whose last slot is in the future, because the clock was set back, go on from now', async () => {
      const { nowMs, lastMs } = await read('a');
      await at.backend.fireSchedule('a', lastMs, nowMs + HOUR_MS, []);
      const after = await read('a');
      expect(after.lastMs).toBe(after.nowMs);
    });
  });
}

function aJob(overrides: Partial<NewJob> = {}): NewJob {
  const envelope = JSON.stringify({ v: 1, task: 'lms.enrol', payloadVersion: 1, release: '1.0.0', trace: {} });
  const job = { id: randomUUID(), task: 'lms.enrol', queue: 'lms', envelope, payload: '{}', delayMs: 0 };
  return { ...job, subject: undefined, lane: undefined, dedupe: undefined, ...overrides };
}
