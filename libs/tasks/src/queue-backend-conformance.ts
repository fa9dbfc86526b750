import { beforeEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { ENVELOPE_VERSION } from './envelope.ts';
import type { Claim, NewJob, QueueBackend, Settlement } from './queue-backend.ts';

/** A backend, and what bee-queue and time do to it. */
export interface BackendUnderTest {
  readonly backend: QueueBackend;
  /** Takes the id that has waited longest, as bee-queue's pop does. */
  pop(queue: string): Promise<string | undefined>;
  /** Returns when the clock of the backend has moved on by at least this much. */
  advance(byMs: number): Promise<void>;
  /** The payload that is stored of a job, if any. */
  payloadOf(jobId: string): Promise<string | undefined>;
}

/** A lease, delay or window that is over after `advance(SOON_MS)`. */
const SHORT_MS = 1;
const SOON_MS = 3;
/** One that no test outlives. */
const LONG_MS = 3_600_000;
const POLICY = { graceMs: LONG_MS, crashLimit: 2, keepMs: LONG_MS };

/** What every QueueBackend must do; run by the tests of each. */
export function describeQueueBackend(name: string, make: () => Promise<BackendUnderTest>): void {
  describe(name, () => {
    let at: BackendUnderTest;
    let backend: QueueBackend;
    beforeEach(async () => {
      at = await make();
      backend = at.backend;
    });

    /** Pops and claims, as a worker does. */
    async function take(queue = 'lms', leaseMs = LONG_MS): Promise<Claim> {
      const claim = await backend.claim(queue, (await at.pop(queue)) ?? 'nothing was waiting', leaseMs);
      if (!claim) throw new Error(`nothing to claim in ${queue}`);
      return claim;
    }
    async function accept(overrides: Partial<NewJob> = {}): Promise<string> {
      const [receipt] = await backend.enqueue([aJob(overrides)]);
      return receipt?.jobId ?? 'no receipt';
    }
    const stateOf = async (jobId: string) => (await backend.job(jobId))?.state;

    describe('enqueue', () => {
      test('makes jobs waiting, to be popped in the order of acceptance', async () => {
        const jobs = [aJob(), aJob(), aJob({ queue: 'mail' })] as const;
        const receipts = await backend.enqueue(jobs);
        expect(receipts).toEqual(jobs.map(({ id, task }) => ({ jobId: id, task, state: 'waiting', duplicate: false })));
        expect(await backend.job(jobs[0].id)).toMatchObject({ state: 'waiting', attempt: 0, steps: [] });
        expect([await at.pop('lms'), await at.pop('lms'), await at.pop('lms')]).toEqual([
          jobs[0].id,
          jobs[1].id,
          undefined,
        ]);
        expect(await at.pop('mail')).toBe(jobs[2].id);
      });

      test('takes a repeated key for the first job, whatever its state is by now', async () => {
        const first = await accept({ dedupe: dedupe('k1') });
        await backend.settle(await take(), settlement('completed'));
        const again = await backend.enqueue([aJob({ dedupe: dedupe('k1') })]);
        expect(again).toMatchObject([{ jobId: first, state: 'completed', duplicate: true }]);
        expect(await at.pop('lms')).toBeUndefined();
      });

      test('refuses a key that was used with another content, and writes nothing of the batch', async () => {
        await accept({ dedupe: dedupe('k1', 'one') });
        const [before, conflicting, after] = [aJob(), aJob({ dedupe: dedupe('k1', 'two') }), aJob()];
        const refused = backend.enqueue([before, conflicting, after]);
        await expect(refused).rejects.toMatchObject({ code: 'COORD_IDEMPOTENCY_CONFLICT' });
        for (const { id } of [before, conflicting, after]) expect(await stateOf(id)).toBeUndefined();
        await at.pop('lms');
        expect(await at.pop('lms')).toBeUndefined();
      });

      test('takes a repeated key for the first job, whatever its content, when it comes without a fingerprint', async () => {
        const first = await accept({ dedupe: dedupe('k1', 'one') });
        expect(await accept({ dedupe: dedupe('k1', '') })).toBe(first);
      });

      test('makes one job of a key that comes twice in a batch', async () => {
        const first = aJob({ dedupe: dedupe('k1') });
        const receipts = await backend.enqueue([first, aJob({ dedupe: dedupe('k1') })]);
        expect(receipts).toMatchObject([
          { jobId: first.id, duplicate: false },
          { jobId: first.id, duplicate: true },
        ]);
      });

      test('refuses a batch that has one key with two contents, and writes nothing of it', async () => {
        const batch = [aJob({ dedupe: dedupe('k1', 'one') }), aJob({ dedupe: dedupe('k1', 'two') })] as const;
        await expect(backend.enqueue(batch)).rejects.toMatchObject({ code: 'COORD_IDEMPOTENCY_CONFLICT' });
        expect(await stateOf(batch[0].id)).toBeUndefined();
      });

      test('forgets a key after its window', async () => {
        const first = await accept({ dedupe: { ...dedupe('k1', 'one'), windowMs: SHORT_MS } });
        await at.advance(SOON_MS);
        expect(await accept({ dedupe: dedupe('k1', 'two') })).not.toBe(first);
      });
    });

    describe('claim', () => {
      test('gives what was accepted and counts the attempts', async () => {
        const job = aJob({ subject: 'order:D-1001' });
        await backend.enqueue([job]);
        const first = await take();
        expect(first).toMatchObject({
          ...{ jobId: job.id, queue: 'lms', attempt: 1, envelope: job.envelope, payload: job.payload },
          ...{ steps: new Map(), attemptReports: [] },
        });
        expect(first.claimedAtMs).toBeGreaterThanOrEqual(first.createdAtMs);
        await backend.settle(first, settlement('scheduled'));
        await backend.promote('lms');
        const second = await take();
        expect(second).toMatchObject({ attempt: 2, createdAtMs: first.createdAtMs });
        expect(second.token).not.toBe(first.token);
        expect(await backend.job(job.id)).toMatchObject({ state: 'running', attempt: 2 });
      });

      test('gives nothing for a job that is running, has ended, or never was', async () => {
        const jobId = await accept();
        const claim = await take();
        expect(await backend.claim('lms', jobId, LONG_MS)).toBeUndefined();
        expect(await backend.settle(claim, settlement('completed'))).toBe('settled');
        expect(await backend.claim('lms', jobId, LONG_MS)).toBeUndefined();
        expect(await backend.claim('lms', randomUUID(), LONG_MS)).toBeUndefined();
      });
    });

    describe('settle', () => {
      test.each(['completed', 'cancelled', 'dead'] as const)('ends a job as %s', async (state) => {
        const jobId = await accept();
        const error = { code: 'COORD_HANDLER_FAILED', message: 'no such course' };
        const failed = state === 'completed' ? {} : { error: JSON.stringify(error) };
        await backend.settle(await take(), settlement(state, { outcome: 'for a reason', ...failed }));
        const record = await backend.job(jobId);
        expect(record).toMatchObject({ state, outcome: 'for a reason', attempt: 1 });
        expect(record?.error).toEqual(state === 'completed' ? undefined : error);
        expect(record?.finishedAtMs).toBeGreaterThanOrEqual(record?.createdAtMs ?? Infinity);
      });

      test('leaves no payload and no step results of a job that is done, and keeps those of a dead letter', async () => {
        for (const state of ['completed', 'cancelled', 'dead'] as const) {
          const jobId = await accept({ payload: '{"user":"ada"}' });
          const claim = await take();
          await backend.saveStep(claim, 'find', '"ada"');
          await backend.settle(claim, settlement(state));
          expect([state, await at.payloadOf(jobId)]).toEqual([state, state === 'dead' ? '{"user":"ada"}' : undefined]);
          const [step] = (await backend.job(jobId))?.steps ?? [];
          expect([step?.name, step?.result]).toEqual(['find', state === 'dead' ? '"ada"' : undefined]);
        }
      });

      test('forgets the error of earlier attempts when the job completes', async () => {
        const jobId = await accept();
        const error = JSON.stringify({ code: 'COORD_HANDLER_FAILED', message: 'not yet' });
        await backend.settle(await take(), settlement('scheduled', { error }));
        expect(await backend.job(jobId)).toMatchObject({ error: { message: 'not yet' } });
        await backend.promote('lms');
        await backend.settle(await take(), settlement('completed'));
        expect((await backend.job(jobId))?.error).toBeUndefined();
      });

      test('changes nothing when the lease has gone to another worker', async () => {
        const jobId = await accept();
        const stale = await take('lms', SHORT_MS);
        await at.advance(SOON_MS);
        await backend.recover('lms', POLICY);
        const current = await take();
        const child = aJob();
        expect(await backend.settle(stale, settlement('completed', { children: [child] }))).toBe('stale');
        expect(await backend.job(jobId)).toMatchObject({ state: 'running', attempt: 2, outcome: undefined });
        expect(await stateOf(child.id)).toBeUndefined();
        expect(await at.payloadOf(jobId)).toBeDefined();
        expect(await backend.settle(current, settlement('completed'))).toBe('settled');
        // Repeated because its answer was lost: it was written, and another outcome is not.
        expect(await backend.settle(current, settlement('dead'))).toBe('settled');
        expect(await stateOf(jobId)).toBe('completed');
      });

      test('writes the children with the outcome', async () => {
        await accept();
        const children = [aJob({ queue: 'mail' }), aJob({ delayMs: LONG_MS })] as const;
        await backend.settle(await take(), settlement('completed', { children }));
        expect(await at.pop('mail')).toBe(children[0].id);
        expect(await stateOf(children[1].id)).toBe('scheduled');
      });

      test('takes a child that is there already for the one that is there', async () => {
        const there = await accept({ queue: 'mail', dedupe: dedupe('k1') });
        await accept();
        const child = aJob({ queue: 'mail', dedupe: dedupe('k1') });
        expect(await backend.settle(await take(), settlement('completed', { children: [child] }))).toBe('settled');
        expect([await at.pop('mail'), await at.pop('mail')]).toEqual([there, undefined]);
      });

      test('refuses a child whose key has another content: no child is written, the attempt goes on', async () => {
        await accept({ queue: 'mail', dedupe: dedupe('k1', 'one') });
        const jobId = await accept();
        const claim = await take();
        const children = [aJob(), aJob({ dedupe: dedupe('k1', 'two') })] as const;
        const refused = backend.settle(claim, settlement('completed', { children }));
        await expect(refused).rejects.toMatchObject({ code: 'COORD_IDEMPOTENCY_CONFLICT' });
        expect([await stateOf(jobId), await stateOf(children[0].id)]).toEqual(['running', undefined]);
        expect(await backend.settle(claim, settlement('dead'))).toBe('settled');
      });
    });

    describe('scheduled jobs', () => {
      test('become waiting when they are due, not before, the one that is due first in front', async () => {
        const [later, sooner] = [aJob({ delayMs: SHORT_MS + 1 }), aJob({ delayMs: SHORT_MS })];
        const [muchLater, elsewhere] = [aJob({ delayMs: LONG_MS }), aJob({ queue: 'mail', delayMs: SHORT_MS })];
        const receipts = await backend.enqueue([later, sooner, muchLater, elsewhere]);
        expect(receipts.map(({ state }) => state)).toEqual(Array(4).fill('scheduled'));
        expect(await at.pop('lms')).toBeUndefined();
        await at.advance(SOON_MS);
        expect(await backend.promote('lms')).toBe(2);
        const record = await backend.job(muchLater.id);
        expect(record).toMatchObject({ state: 'scheduled', dueAtMs: (record?.createdAtMs ?? 0) + LONG_MS });
        expect([await at.pop('lms'), await at.pop('lms'), await at.pop('lms')]).toEqual([
          sooner.id,
          later.id,
          undefined,
        ]);
      });

      test('that were snoozed have spent no attempt, and know what the attempt before reported', async () => {
        const jobId = await accept();
        const snooze = settlement('scheduled', { spendsAttempt: false, attemptReport: 'first' });
        await backend.settle(await take(), snooze);
        expect(await backend.job(jobId)).toMatchObject({ state: 'scheduled', attempt: 0 });
        await backend.promote('lms');
        const again = await take();
        expect([again.attempt, again.attemptReports.at(-1)]).toEqual([1, 'first']);
        await backend.settle(again, settlement('scheduled', { attemptReport: 'second' }));
        await backend.promote('lms');
        const third = await take();
        expect([third.attempt, third.attemptReports.at(-1)]).toEqual([2, 'second']);
      });
    });

    describe('parked jobs', () => {
      test('wait again for a worker that knows their task in their version, without a spent attempt', async () => {
        const old = await accept({ envelope: envelope({ payloadVersion: 1 }) });
        const young = await accept({ envelope: envelope({ payloadVersion: 2 }) });
        const park = settlement('parked', { outcome: 'task-unknown', spendsAttempt: false });
        await backend.settle(await take(), park);
        await backend.settle(await take(), park);
        expect(await backend.job(young)).toMatchObject({ state: 'parked', outcome: 'task-unknown', attempt: 0 });

        expect(await backend.unpark('lms', ['lms.unenrol@3'])).toBe(0);
        expect(await backend.unpark('lms', ['lms.enrol@1', 'lms.unenrol@2'])).toBe(1);
        expect([await stateOf(old), await stateOf(young)]).toEqual(['waiting', 'parked']);
        expect((await take()).jobId).toBe(old);
        expect(await backend.unpark('lms', ['lms.enrol@3'])).toBe(1);
        expect(await take()).toMatchObject({ jobId: young, attempt: 1 });
      });
    });

    describe('jobs whose worker fell silent', () => {
      test('wait again, in front of the others, as long as the crash limit is not reached', async () => {
        const jobId = await accept();
        const other = await accept();
        await take('lms', SHORT_MS);
        await at.advance(SOON_MS);
        expect(await backend.recover('lms', POLICY)).toEqual([{ jobId, state: 'waiting' }]);
        expect(await backend.recover('lms', POLICY)).toEqual([]);
        expect(await take()).toMatchObject({ jobId, attempt: 2 });
        expect(await at.pop('lms')).toBe(other);
      });

      test('are dead letters at the crash limit, with their payload', async () => {
        const jobId = await accept();
        for (const state of ['waiting', 'dead']) {
          await take('lms', SHORT_MS);
          await at.advance(SOON_MS);
          expect(await backend.recover('lms', POLICY)).toEqual([{ jobId, state }]);
        }
        const record = await backend.job(jobId);
        expect(record).toMatchObject({
          ...{ state: 'dead', outcome: 'crashed-worker', attempt: 2, error: { code: 'COORD_CRASHED_WORKER' } },
        });
        expect(record?.finishedAtMs).toBeDefined();
        expect(await at.payloadOf(jobId)).toBeDefined();
        expect(await at.pop('lms')).toBeUndefined();
      });

      test('start to count anew when an attempt was settled in between', async () => {
        const jobId = await accept();
        const crash = async () => {
          await take('lms', SHORT_MS);
          await at.advance(SOON_MS);
          return backend.recover('lms', POLICY);
        };
        await crash();
        await backend.settle(await take(), settlement('scheduled'));
        await backend.promote('lms');
        expect(await crash()).toEqual([{ jobId, state: 'waiting' }]);
      });

      test('are left alone while their lease is renewed', async () => {
        await accept();
        const claim = await take('lms', SHORT_MS);
        expect(await backend.heartbeat('lms', [claim], LONG_MS)).toEqual([]);
        await at.advance(SOON_MS);
        expect(await backend.recover('lms', POLICY)).toEqual([]);
        expect(await backend.settle(claim, settlement('completed'))).toBe('settled');
      });

      test('are reported to a worker that renews their lease too late', async () => {
        await accept();
        const kept = await take();
        await accept();
        const lost = await take('lms', SHORT_MS);
        await at.advance(SOON_MS);
        await backend.recover('lms', POLICY);
        await take();
        expect(await backend.heartbeat('lms', [kept, lost], LONG_MS)).toEqual([lost.token]);
        expect(await backend.heartbeat('lms', [], LONG_MS)).toEqual([]);
      });
    });

    describe('steps', () => {
      test('are replayed to the next attempt, in the record in the order in which they ended', async () => {
        const jobId = await accept();
        const claim = await take();
        expect(await backend.saveStep(claim, 'find', '{"id":7}')).toBe('settled');
        await at.advance(SHORT_MS);
        expect(await backend.saveStep(claim, 'no result', '')).toBe('settled');
        await backend.settle(claim, settlement('scheduled'));
        await backend.promote('lms');
        const { steps } = await take();
        expect(Object.fromEntries(steps)).toEqual({ find: '{"id":7}', 'no result': '' });
        expect((await backend.job(jobId))?.steps.map((step) => step.name)).toEqual(['find', 'no result']);
      });

      test('of an attempt that has lost its lease are not kept', async () => {
        await accept();
        const stale = await take('lms', SHORT_MS);
        await at.advance(SOON_MS);
        await backend.recover('lms', POLICY);
        expect(await backend.saveStep(stale, 'find', '7')).toBe('stale');
        expect((await take()).steps.size).toBe(0);
      });
    });

    describe('the timeline of a subject', () => {
      test('holds its jobs, whatever their state, oldest first', async () => {
        const subject = 'order:D-1001';
        const expected: string[] = [];
        for (let i = 0; i < 5; i++) {
          expected.push(await accept({ subject }));
          await at.advance(SHORT_MS);
        }
        await accept({ subject: 'order:D-1002' });
        await accept();
        await backend.settle(await take(), settlement('completed'));
        const jobs = await backend.jobsOf(subject);
        expect(jobs.map(({ jobId }) => jobId)).toEqual(expected);
        expect(jobs.map(({ state }) => state)).toEqual(['completed', ...Array<string>(4).fill('waiting')]);
        expect([await backend.jobsOf('order:D-1003'), await backend.job(randomUUID())]).toEqual([[], undefined]);
      });

      test('keeps the order of jobs that were accepted together', async () => {
        const subject = 'order:D-1001';
        const batch = Array.from({ length: 12 }, () => aJob({ subject }));
        await backend.enqueue(batch);
        expect((await backend.jobsOf(subject)).map(({ jobId }) => jobId)).toEqual(batch.map(({ id }) => id));
      });
    });
  });
}

function aJob(overrides: Partial<NewJob> = {}): NewJob {
  const job = { id: randomUUID(), task: 'lms.enrol', queue: 'lms', envelope: envelope(), payload: '{}', delayMs: 0 };
  return { ...job, subject: undefined, dedupe: undefined, ...overrides };
}

function envelope({ payloadVersion = 1 } = {}): string {
  return JSON.stringify({ v: ENVELOPE_VERSION, task: 'lms.enrol', payloadVersion, release: '1.0.0', trace: {} });
}

function dedupe(key: string, fingerprint = 'same') {
  return { key: `lms.enrol:${key}`, fingerprint, windowMs: LONG_MS };
}

function settlement(state: Settlement['state'], overrides: Partial<Settlement> = {}): Settlement {
  const unset = { error: undefined, attemptReport: undefined, children: [] };
  return { state, outcome: state, delayMs: 0, spendsAttempt: true, keepMs: LONG_MS, ...unset, ...overrides };
}
