import { describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import {
  Bench,
  aJob,
  aNote,
  envelope,
  settlement,
  LONG_MS,
  POLICY,
  SHORT_MS,
  SOON_MS,
  type BackendUnderTest,
} from './bench.ts';

/** How jobs wait, come back, and are remembered. */
export function describeWaitingAndReturn(make: () => Promise<BackendUnderTest>): void {
  describe('waiting, coming back and being remembered', () => {
    const at = new Bench(make);

    describe('scheduled jobs', () => {
      test('become waiting when they are due, not before, the one that is due first in front', async () => {
        const [later, sooner] = [aJob({ delayMs: SHORT_MS + 1 }), aJob({ delayMs: SHORT_MS })];
        const [muchLater, elsewhere] = [aJob({ delayMs: LONG_MS }), aJob({ queue: 'mail', delayMs: SHORT_MS })];
        const receipts = await at.backend.enqueue([later, sooner, muchLater, elsewhere]);
        expect(receipts.map(({ state }) => state)).toEqual(Array(4).fill('scheduled'));
        expect(await at.pop('lms')).toBeUndefined();
        await at.advance(SOON_MS);
        expect(await at.backend.promote('lms')).toBe(2);
        const record = await at.backend.job(muchLater.id);
        expect(record).toMatchObject({ state: 'scheduled', dueAtMs: (record?.createdAtMs ?? 0) + LONG_MS });
        expect([await at.pop('lms'), await at.pop('lms'), await at.pop('lms')]).toEqual([
          sooner.id,
          later.id,
          undefined,
        ]);
      });

      test('that were snoozed have spent no attempt, and know what the attempt before reported', async () => {
        const jobId = await at.accept();
        const snooze = settlement('scheduled', { spendsAttempt: false, attemptReport: 'first' });
        await at.backend.settle(await at.take(), snooze);
        expect(await at.backend.job(jobId)).toMatchObject({ state: 'scheduled', attempt: 0 });
        await at.backend.promote('lms');
        const again = await at.take();
        expect([again.attempt, again.attemptReports.at(-1)]).toEqual([1, 'first']);
        await at.backend.settle(again, settlement('scheduled', { attemptReport: 'second' }));
        await at.backend.promote('lms');
        const third = await at.take();
        expect([third.attempt, third.attemptReports.at(-1)]).toEqual([2, 'second']);
      });
    });

    describe('parked jobs', () => {
      test('run on a worker that knows their task in their version, without a spent attempt', async () => {
        const old = await at.accept({ envelope: envelope({ payloadVersion: 1 }) });
        const young = await at.accept({ envelope: envelope({ payloadVersion: 2 }) });
        const park = settlement('parked', { outcome: 'task-unknown', spendsAttempt: false });
        await at.backend.settle(await at.take(), park);
        await at.backend.settle(await at.take(), park);
        expect(await at.backend.job(young)).toMatchObject({ state: 'parked', outcome: 'task-unknown', attempt: 0 });

        expect(await at.takeParked(['lms.unenrol@1-3'])).toEqual([]);
        expect(await at.takeParked(['lms.enrol@1-1', 'lms.unenrol@1-2'])).toMatchObject([{ jobId: old, attempt: 1 }]);
        expect([await at.stateOf(old), await at.stateOf(young)]).toEqual(['running', 'parked']);
        expect(await at.takeParked(['lms.enrol@3-4'])).toEqual([]);
        const claim = await at.takeFirstParked(['lms.enrol@1-3']);
        expect(claim).toMatchObject({ jobId: young, attempt: 1 });
        expect(await at.backend.settle(claim, settlement('completed'))).toBe('settled');
      });

      test('never stand where a worker that cannot read them pops, and come back like any other', async () => {
        const jobId = await at.accept();
        await at.backend.settle(await at.take(), settlement('parked', { spendsAttempt: false }));
        const { claims } = await at.backend.claimParked('lms', ['lms.enrol@1-1'], { leaseMs: SHORT_MS, most: 1 });
        expect(await at.pop('lms')).toBeUndefined();
        await at.advance(SOON_MS);
        expect(await at.backend.recover('lms', POLICY)).toMatchObject([{ jobId, state: 'waiting' }]);
        for (const claim of claims) expect(await at.backend.settle(claim, settlement('completed'))).toBe('stale');
        expect(await at.take()).toMatchObject({ jobId, attempt: 2, crashed: 1 });
      });

      test('are claimed up to what was asked for, the longest parked first, and are told again after a lost answer', async () => {
        const [first, second, third] = [await at.accept(), await at.accept(), await at.accept()];
        for (let i = 0; i < 3; i++) {
          await at.backend.settle(await at.take(), settlement('parked', { spendsAttempt: false }));
          await at.advance(SHORT_MS);
        }
        const search = { leaseMs: LONG_MS, most: 2 };
        const { claims, next } = await at.backend.claimParked('lms', ['lms.enrol@1-1'], search);
        expect(claims.map((claim) => claim.jobId)).toEqual([first, second]);
        const rest = await at.backend.claimParked('lms', ['lms.enrol@1-1'], {
          ...search,
          token: 'lost',
          from: next ?? 9,
        });
        expect(rest).toMatchObject({ claims: [{ jobId: third }], next: undefined });
        const again = await at.backend.claim('lms', third, LONG_MS, 'lost');
        expect(again).toMatchObject({ token: rest.claims[0]?.token, attempt: 1 });
      });
    });

    describe('jobs whose worker fell silent', () => {
      test('wait again, in front of the others, as long as the crash limit is not reached', async () => {
        const jobId = await at.accept();
        const other = await at.accept();
        await at.take('lms', SHORT_MS);
        await at.advance(SOON_MS);
        expect(await at.backend.recover('lms', POLICY)).toMatchObject([{ jobId, state: 'waiting' }]);
        expect(await at.backend.recover('lms', POLICY)).toEqual([]);
        expect(await at.take()).toMatchObject({ jobId, attempt: 2 });
        expect(await at.pop('lms')).toBe(other);
      });

      test('are dead letters at the crash limit, with their payload', async () => {
        const jobId = await at.accept();
        for (const state of ['waiting', 'dead']) {
          await at.take('lms', SHORT_MS);
          await at.advance(SOON_MS);
          expect(await at.backend.recover('lms', POLICY)).toMatchObject([{ jobId, state }]);
        }
        const record = await at.backend.job(jobId);
        expect(record).toMatchObject({
          ...{ state: 'dead', outcome: 'crashed-worker', attempt: 2, error: { code: 'COORD_CRASHED_WORKER' } },
        });
        expect(record?.finishedAtMs).toBeDefined();
        expect(await at.payloadOf(jobId)).toBeDefined();
        expect(await at.pop('lms')).toBeUndefined();
      });

      test('leave a report in place of the attempt that did not end', async () => {
        const jobId = await at.accept();
        const { envelope } = await at.take('lms', SHORT_MS);
        await at.advance(SOON_MS);
        const recovered = await at.backend.recover('lms', { ...POLICY, attemptReport: 'taken back' });
        expect(recovered).toEqual([{ jobId, state: 'waiting', envelope }]);
        expect((await at.take('lms', SHORT_MS)).attemptReports).toEqual(['taken back']);
        await at.advance(SOON_MS);
        await at.backend.recover('lms', { ...POLICY, attemptReport: 'again' });
        await at.backend.replay(jobId, aNote());
        expect((await at.take()).attemptReports).toEqual(['again']);
      });

      test('start to count anew when an attempt was settled in between', async () => {
        const jobId = await at.accept();
        const crash = async () => {
          await at.take('lms', SHORT_MS);
          await at.advance(SOON_MS);
          return at.backend.recover('lms', POLICY);
        };
        await crash();
        await at.backend.settle(await at.take(), settlement('scheduled'));
        await at.backend.promote('lms');
        expect(await crash()).toMatchObject([{ jobId, state: 'waiting' }]);
      });

      test('know of all attempts that ended with their worker, whatever came in between, until they are replayed', async () => {
        const jobId = await at.accept();
        const crash = async () => {
          await at.take('lms', SHORT_MS);
          await at.advance(SOON_MS);
          await at.backend.recover('lms', POLICY);
        };
        await crash();
        for (const spendsAttempt of [true, false]) {
          await at.backend.settle(await at.take(), settlement('scheduled', { spendsAttempt }));
          await at.backend.promote('lms');
        }
        await crash();
        const claim = await at.take();
        expect(claim).toMatchObject({ jobId, attempt: 4, crashed: 2 });
        await at.backend.settle(claim, settlement('dead'));
        await at.backend.replay(jobId, aNote());
        await at.backend.settle(await at.take(), settlement('scheduled'));
        await at.backend.promote('lms');
        expect(await at.take()).toMatchObject({ jobId, attempt: 2, crashed: 0 });
      });

      test('are left alone while their lease is renewed', async () => {
        await at.accept();
        const claim = await at.take('lms', SHORT_MS);
        expect(await at.backend.heartbeat('lms', [claim], LONG_MS)).toEqual([]);
        await at.advance(SOON_MS);
        expect(await at.backend.recover('lms', POLICY)).toEqual([]);
        expect(await at.backend.settle(claim, settlement('completed'))).toBe('settled');
      });

      test('are reported to a worker that renews their lease too late', async () => {
        await at.accept();
        const kept = await at.take();
        await at.accept();
        const lost = await at.take('lms', SHORT_MS);
        await at.advance(SOON_MS);
        await at.backend.recover('lms', POLICY);
        await at.take();
        expect(await at.backend.heartbeat('lms', [kept, lost], LONG_MS)).toEqual([{ token: lost.token, why: 'lost' }]);
        expect(await at.backend.heartbeat('lms', [], LONG_MS)).toEqual([]);
      });
    });

    describe('steps', () => {
      test('are replayed to the next attempt, in the record in the order in which they ended', async () => {
        const jobId = await at.accept();
        const claim = await at.take();
        expect(await at.backend.saveStep(claim, 'find', '{"id":7}')).toBe('settled');
        await at.advance(SHORT_MS);
        expect(await at.backend.saveStep(claim, 'no result', '')).toBe('settled');
        await at.backend.settle(claim, settlement('scheduled'));
        await at.backend.promote('lms');
        const { steps } = await at.take();
        expect(Object.fromEntries(steps)).toEqual({ find: '{"id":7}', 'no result': '' });
        expect((await at.backend.job(jobId))?.steps.map((step) => step.name)).toEqual(['find', 'no result']);
      });

      test('of an attempt that has lost its lease are not kept', async () => {
        await at.accept();
        const stale = await at.take('lms', SHORT_MS);
        await at.advance(SOON_MS);
        await at.backend.recover('lms', POLICY);
        expect(await at.backend.saveStep(stale, 'find', '7')).toBe('stale');
        expect((await at.take()).steps.size).toBe(0);
      });
    });

    describe('the timeline of a subject', () => {
      test('holds its jobs, whatever their state, oldest first', async () => {
        const subject = 'order:D-1001';
        const expected: string[] = [];
        for (let i = 0; i < 5; i++) {
          expected.push(await at.accept({ subject }));
          await at.advance(SHORT_MS);
        }
        await at.accept({ subject: 'order:D-1002' });
        await at.accept();
        await at.backend.settle(await at.take(), settlement('completed'));
        const { items: jobs } = await at.backend.jobsOf(subject);
        expect(jobs.map(({ jobId }) => jobId)).toEqual(expected);
        expect(jobs.map(({ state }) => state)).toEqual(['completed', ...Array<string>(4).fill('waiting')]);
        expect(await at.backend.jobsOf('order:D-1003')).toEqual({ items: [], next: undefined });
        expect(await at.backend.job(randomUUID())).toBeUndefined();
      });

      test('keeps the order of jobs that were accepted together', async () => {
        const subject = 'order:D-1001';
        const batch = Array.from({ length: 12 }, () => aJob({ subject }));
        await at.backend.enqueue(batch);
        expect((await at.backend.jobsOf(subject)).items.map(({ jobId }) => jobId)).toEqual(batch.map(({ id }) => id));
      });

      test('is read page by page, from the newest to the oldest, each job once', async () => {
        const subject = 'order:D-1001';
        const ids: string[] = [];
        for (let i = 0; i < 7; i++) ids.push(await at.accept({ subject }));
        const pages: string[][] = [];
        let before: string | undefined;
        do {
          const page = await at.backend.jobsOf(subject, { before, limit: 3 });
          pages.push(page.items.map(({ jobId }) => jobId));
          before = page.next;
          // What comes meanwhile is on none of the pages that are left.
          await at.accept({ subject });
        } while (before !== undefined);
        expect(pages).toEqual([ids.slice(4), ids.slice(1, 4), ids.slice(0, 1)]);
      });

      test('ends with a page that is exactly full', async () => {
        const [first] = [await at.accept({ subject: 'order:D-1001' }), await at.accept({ subject: 'order:D-1001' })];
        expect((await at.backend.jobsOf('order:D-1001', { limit: 2 })).next).toBeUndefined();
        const before = { before: first, limit: 2 };
        expect(await at.backend.jobsOf('order:D-1001', before)).toEqual({ items: [], next: undefined });
      });

      test('refuses to go on before a job that is none of its own', async () => {
        const [other] = [await at.accept({ subject: 'order:D-1002' }), await at.accept({ subject: 'order:D-1001' })];
        for (const before of [other, randomUUID()]) {
          const refused = at.backend.jobsOf('order:D-1001', { before });
          await expect(refused).rejects.toMatchObject({ code: 'COORD_QUERY_INVALID' });
        }
      });
    });
  });
}
