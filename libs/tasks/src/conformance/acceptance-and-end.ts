import { describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Bench, aJob, dedupe, settlement, LONG_MS, POLICY, SHORT_MS, SOON_MS, type BackendUnderTest } from './bench.ts';

/** How jobs come in, are claimed and end. */
export function describeAcceptanceAndEnd(make: () => Promise<BackendUnderTest>): void {
  describe('from enqueue to settle', () => {
    const at = new Bench(make);

    describe('enqueue', () => {
      test('makes jobs waiting, to be popped in the order of acceptance', async () => {
        const jobs = [aJob(), aJob(), aJob({ queue: 'mail' })] as const;
        const receipts = await at.backend.enqueue(jobs);
        expect(receipts).toEqual(jobs.map(({ id, task }) => ({ jobId: id, task, state: 'waiting', duplicate: false })));
        expect(await at.backend.job(jobs[0].id)).toMatchObject({ state: 'waiting', attempt: 0, steps: [] });
        expect([await at.pop('lms'), await at.pop('lms'), await at.pop('lms')]).toEqual([
          jobs[0].id,
          jobs[1].id,
          undefined,
        ]);
        expect(await at.pop('mail')).toBe(jobs[2].id);
      });

      test('takes a repeated key for the first job, whatever its state is by now', async () => {
        const first = await at.accept({ dedupe: dedupe('k1') });
        await at.backend.settle(await at.take(), settlement('completed'));
        const again = await at.backend.enqueue([aJob({ dedupe: dedupe('k1') })]);
        expect(again).toMatchObject([{ jobId: first, state: 'completed', duplicate: true }]);
        expect(await at.pop('lms')).toBeUndefined();
      });

      test('refuses a key that was used with another content, and writes nothing of the batch', async () => {
        await at.accept({ dedupe: dedupe('k1', 'one') });
        const [before, conflicting, after] = [aJob(), aJob({ dedupe: dedupe('k1', 'two') }), aJob()];
        const refused = at.backend.enqueue([before, conflicting, after]);
        await expect(refused).rejects.toMatchObject({ code: 'COORD_IDEMPOTENCY_CONFLICT' });
        for (const { id } of [before, conflicting, after]) expect(await at.stateOf(id)).toBeUndefined();
        await at.pop('lms');
        expect(await at.pop('lms')).toBeUndefined();
      });

      test('takes a repeated key for the first job, whatever its content, when it comes without a fingerprint', async () => {
        const first = await at.accept({ dedupe: dedupe('k1', 'one') });
        expect(await at.accept({ dedupe: dedupe('k1', '') })).toBe(first);
      });

      test('takes a repeated key for the first job when another version of the payload comes with it', async () => {
        const first = await at.accept({ dedupe: dedupe('k1', 'one') });
        expect(await at.accept({ dedupe: dedupe('k1', 'v2/:two') })).toBe(first);
        const second = await at.accept({ dedupe: dedupe('k2', 'v2/:two') });
        expect(await at.accept({ dedupe: dedupe('k2', 'one') })).toBe(second);
        await expect(at.accept({ dedupe: dedupe('k2', 'v2/:one') })).rejects.toMatchObject({
          code: 'COORD_IDEMPOTENCY_CONFLICT',
        });
      });

      test('makes one job of a key that comes twice in a batch', async () => {
        const first = aJob({ dedupe: dedupe('k1') });
        const receipts = await at.backend.enqueue([first, aJob({ dedupe: dedupe('k1') })]);
        expect(receipts).toMatchObject([
          { jobId: first.id, duplicate: false },
          { jobId: first.id, duplicate: true },
        ]);
      });

      test('refuses a batch that has one key with two contents, and writes nothing of it', async () => {
        const batch = [aJob({ dedupe: dedupe('k1', 'one') }), aJob({ dedupe: dedupe('k1', 'two') })] as const;
        await expect(at.backend.enqueue(batch)).rejects.toMatchObject({ code: 'COORD_IDEMPOTENCY_CONFLICT' });
        expect(await at.stateOf(batch[0].id)).toBeUndefined();
      });

      test('forgets a key after its window', async () => {
        const first = await at.accept({ dedupe: { ...dedupe('k1', 'one'), windowMs: SHORT_MS } });
        await at.advance(SOON_MS);
        expect(await at.accept({ dedupe: dedupe('k1', 'two') })).not.toBe(first);
      });
    });

    describe('claim', () => {
      test('gives what was accepted and counts the attempts', async () => {
        const job = aJob({ subject: 'order:D-1001' });
        await at.backend.enqueue([job]);
        const first = await at.take();
        expect(first).toMatchObject({
          ...{ jobId: job.id, queue: 'lms', attempt: 1, crashed: 0, envelope: job.envelope, payload: job.payload },
          ...{ steps: new Map(), attemptReports: [] },
        });
        expect(first.claimedAtMs).toBeGreaterThanOrEqual(first.createdAtMs);
        await at.backend.settle(first, settlement('scheduled'));
        await at.backend.promote('lms');
        const second = await at.take();
        expect(second).toMatchObject({ attempt: 2, createdAtMs: first.createdAtMs });
        expect(second.token).not.toBe(first.token);
        expect(await at.backend.job(job.id)).toMatchObject({ state: 'running', attempt: 2 });
      });

      test('gives nothing for a job that is running, has ended, or never was', async () => {
        const jobId = await at.accept();
        const claim = await at.take();
        expect(await at.backend.claim('lms', jobId, LONG_MS)).toBeUndefined();
        expect(await at.backend.settle(claim, settlement('completed'))).toBe('settled');
        expect(await at.backend.claim('lms', jobId, LONG_MS)).toBeUndefined();
        expect(await at.backend.claim('lms', randomUUID(), LONG_MS)).toBeUndefined();
      });
    });

    describe('settle', () => {
      test.each(['completed', 'cancelled', 'dead'] as const)('ends a job as %s', async (state) => {
        const jobId = await at.accept();
        const error = { code: 'COORD_HANDLER_FAILED', message: 'no such course' };
        const failed = state === 'completed' ? {} : { error: JSON.stringify(error) };
        await at.backend.settle(await at.take(), settlement(state, { outcome: 'for a reason', ...failed }));
        const record = await at.backend.job(jobId);
        expect(record).toMatchObject({ state, outcome: 'for a reason', attempt: 1 });
        expect(record?.error).toEqual(state === 'completed' ? undefined : error);
        expect(record?.finishedAtMs).toBeGreaterThanOrEqual(record?.createdAtMs ?? Infinity);
      });

      test('leaves no payload and no step results of a job that is done, and keeps those of a dead letter', async () => {
        for (const state of ['completed', 'cancelled', 'dead'] as const) {
          const jobId = await at.accept({ payload: '{"user":"ada"}' });
          const claim = await at.take();
          await at.backend.saveStep(claim, 'find', '"ada"');
          await at.backend.settle(claim, settlement(state));
          expect([state, await at.payloadOf(jobId)]).toEqual([state, state === 'dead' ? '{"user":"ada"}' : undefined]);
          const [step] = (await at.backend.job(jobId))?.steps ?? [];
          expect([step?.name, step?.result]).toEqual(['find', state === 'dead' ? '"ada"' : undefined]);
        }
      });

      test('forgets the error of earlier attempts when the job completes', async () => {
        const jobId = await at.accept();
        const error = JSON.stringify({ code: 'COORD_HANDLER_FAILED', message: 'not yet' });
        await at.backend.settle(await at.take(), settlement('scheduled', { error }));
        expect(await at.backend.job(jobId)).toMatchObject({ error: { message: 'not yet' } });
        await at.backend.promote('lms');
        await at.backend.settle(await at.take(), settlement('completed'));
        expect((await at.backend.job(jobId))?.error).toBeUndefined();
      });

      test('changes nothing when the lease has gone to another worker', async () => {
        const jobId = await at.accept();
        const stale = await at.take('lms', SHORT_MS);
        await at.advance(SOON_MS);
        await at.backend.recover('lms', POLICY);
        const current = await at.take();
        const child = aJob();
        expect(await at.backend.settle(stale, settlement('completed', { children: [child] }))).toBe('stale');
        expect(await at.backend.job(jobId)).toMatchObject({ state: 'running', attempt: 2, outcome: undefined });
        expect(await at.stateOf(child.id)).toBeUndefined();
        expect(await at.payloadOf(jobId)).toBeDefined();
        expect(await at.backend.settle(current, settlement('completed'))).toBe('settled');
      });

      test('says that it was written when it is repeated because the answer was lost, and of another outcome that it was not', async () => {
        const jobId = await at.accept();
        const claim = await at.take();
        const given = settlement('scheduled', { outcome: 'snoozed', spendsAttempt: false, delayMs: LONG_MS });
        expect(await at.backend.settle(claim, given)).toBe('settled');
        expect(await at.backend.settle(claim, given)).toBe('settled');
        const child = aJob();
        expect(await at.backend.settle(claim, settlement('completed', { children: [child] }))).toBe('stale');
        expect(await at.backend.settle(claim, { ...given, outcome: 'retried' })).toBe('stale');
        expect([await at.stateOf(jobId), await at.stateOf(child.id)]).toEqual(['scheduled', undefined]);
      });

      test('writes the children with the outcome', async () => {
        await at.accept();
        const children = [aJob({ queue: 'mail' }), aJob({ delayMs: LONG_MS })] as const;
        await at.backend.settle(await at.take(), settlement('completed', { children }));
        expect(await at.pop('mail')).toBe(children[0].id);
        expect(await at.stateOf(children[1].id)).toBe('scheduled');
      });

      test('takes a child that is there already for the one that is there', async () => {
        const there = await at.accept({ queue: 'mail', dedupe: dedupe('k1') });
        await at.accept();
        const child = aJob({ queue: 'mail', dedupe: dedupe('k1') });
        expect(await at.backend.settle(await at.take(), settlement('completed', { children: [child] }))).toBe(
          'settled',
        );
        expect([await at.pop('mail'), await at.pop('mail')]).toEqual([there, undefined]);
      });

      test('refuses a child whose key has another content: no child is written, the attempt goes on', async () => {
        await at.accept({ queue: 'mail', dedupe: dedupe('k1', 'one') });
        const jobId = await at.accept();
        const claim = await at.take();
        const children = [aJob(), aJob({ dedupe: dedupe('k1', 'two') })] as const;
        const refused = at.backend.settle(claim, settlement('completed', { children }));
        await expect(refused).rejects.toMatchObject({ code: 'COORD_IDEMPOTENCY_CONFLICT' });
        expect([await at.stateOf(jobId), await at.stateOf(children[0].id)]).toEqual(['running', undefined]);
        expect(await at.backend.settle(claim, settlement('dead'))).toBe('settled');
      });
    });
  });
}
