import { describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Bench, aNote, settlement, LONG_MS, POLICY, SHORT_MS, SOON_MS, type BackendUnderTest } from './bench.ts';

const error = JSON.stringify({ code: 'COORD_DOWNSTREAM_REFUSED', message: 'no such course' });

/** How dead letters begin anew. */
export function describeReplay(make: () => Promise<BackendUnderTest>): void {
  describe('replay', () => {
    const at = new Bench(make);

    test('begins a dead letter anew: attempts and age from now, finished steps and the last report stay', async () => {
      const jobId = await at.accept({ payload: '{"user":"ada"}' });
      await at.backend.settle(await at.take(), settlement('scheduled', { attemptReport: 'first' }));
      await at.backend.promote('lms');
      const last = await at.take();
      await at.backend.saveStep(last, 'find', '7');
      await at.backend.settle(last, settlement('dead', { error, attemptReport: 'second' }));
      await at.advance(SOON_MS);

      const replayed = { before: 'dead', after: 'waiting', refused: undefined };
      expect(await at.backend.replay(jobId, aNote())).toEqual(replayed);
      const unset = { finishedAtMs: undefined, outcome: undefined, error: undefined };
      expect(await at.backend.job(jobId)).toMatchObject({ state: 'waiting', attempt: 0, ...unset });

      const claim = await at.take();
      expect(claim).toMatchObject({ jobId, attempt: 1, createdAtMs: last.createdAtMs, payload: '{"user":"ada"}' });
      // With the trace it goes on in, and the caller it belongs to.
      expect([claim.envelope, (await at.backend.job(jobId))?.envelope]).toEqual([last.envelope, last.envelope]);
      expect([...claim.steps]).toEqual([['find', '7']]);
      expect(claim.attemptReports).toEqual(['second']);
      expect(claim.firstStartedAtMs).toBe(claim.claimedAtMs);
      expect(claim.dueAtMs).toBeGreaterThan(last.claimedAtMs);
      await at.backend.settle(claim, settlement('scheduled', { attemptReport: 'third' }));
      await at.backend.promote('lms');
      const next = await at.take();
      expect([next.attempt, next.attemptReports.at(-1)]).toEqual([2, 'third']);
      expect(await at.backend.settle(next, settlement('completed'))).toBe('settled');
      expect(await at.stateOf(jobId)).toBe('completed');
    });

    test('is done once, however often it is asked for', async () => {
      const jobId = await at.accept();
      await at.backend.settle(await at.take(), settlement('dead'));
      const results = await Promise.all([at.backend.replay(jobId, aNote()), at.backend.replay(jobId, aNote())]);
      expect(results.map((result) => result?.before)).toEqual(['dead', 'waiting']);
      expect([await at.pop('lms'), await at.pop('lms')]).toEqual([jobId, undefined]);
    });

    test('leaves a dead letter alone that is not the one that was meant', async () => {
      const jobId = await at.accept();
      await at.backend.settle(await at.take(), settlement('dead'));
      const meant = (await at.backend.job(jobId))?.finishedAtMs;
      await at.advance(SOON_MS);
      expect(await at.backend.replay(jobId, aNote(), meant)).toMatchObject({ after: 'waiting' });
      await at.backend.settle(await at.take(), settlement('dead'));
      expect(await at.backend.replay(jobId, aNote(), meant)).toEqual({
        before: 'dead',
        after: 'dead',
        refused: 'changed',
      });
    });

    test('goes to the end of its lane', async () => {
      const lane = 'refunds:D-1001';
      const [first, second] = [await at.accept({ lane }), await at.accept({ lane })];
      await at.backend.settle(await at.take(), settlement('dead'));
      expect(await at.backend.replay(first, aNote())).toMatchObject({ after: 'blocked' });
      const claim = await at.take();
      expect([claim.jobId, await at.stateOf(first)]).toEqual([second, 'blocked']);
      await at.backend.settle(claim, settlement('completed'));
      expect((await at.take()).jobId).toBe(first);
    });

    test('counts the crashes of workers anew', async () => {
      const jobId = await at.accept();
      const crash = async () => {
        await at.take('lms', SHORT_MS);
        await at.advance(SOON_MS);
        return (await at.backend.recover('lms', POLICY))[0]?.state;
      };
      expect([await crash(), await crash()]).toEqual(['waiting', 'dead']);
      await at.backend.replay(jobId, aNote());
      expect([await crash(), await crash()]).toEqual(['waiting', 'dead']);
    });

    test('still tells a worker that has lost the answer that its attempt was settled', async () => {
      const jobId = await at.accept();
      const claim = await at.take();
      await at.backend.settle(claim, settlement('dead'));
      await at.backend.replay(jobId, aNote());
      expect(await at.backend.settle(claim, settlement('dead'))).toBe('settled');
      expect(await at.stateOf(jobId)).toBe('waiting');
    });

    test('changes no job that is no dead letter, and knows when there is none', async () => {
      const [done, running] = [await at.accept(), await at.accept()];
      const scheduled = await at.accept({ delayMs: LONG_MS });
      await at.backend.settle(await at.take(), settlement('completed'));
      await at.take();
      for (const [jobId, state] of Object.entries({
        [done]: 'completed',
        [running]: 'running',
        [scheduled]: 'scheduled',
      })) {
        const before = await at.backend.job(jobId);
        expect(await at.backend.replay(jobId, aNote())).toEqual({ before: state, after: state, refused: undefined });
        expect(await at.backend.job(jobId)).toEqual(before);
      }
      expect(await at.backend.replay(randomUUID(), aNote())).toBeUndefined();
    });
  });
}
