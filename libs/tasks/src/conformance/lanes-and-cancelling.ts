import { describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Bench, aJob, aNote, settlement, LONG_MS, POLICY, SHORT_MS, SOON_MS, type BackendUnderTest } from './bench.ts';

/** How jobs wait for each other, and are called off. */
export function describeLanesAndCancelling(make: () => Promise<BackendUnderTest>): void {
  describe('waiting for each other and being called off', () => {
    const at = new Bench(make);

    describe('suspects: jobs whose last attempt but one before the crash limit ended with its worker', () => {
      test('run one at a time, over all queues, until the attempt of the one before has ended', async () => {
        const [first, second, third] = [await at.accept(), await at.accept({ queue: 'mail' }), await at.accept()];
        for (const queue of ['lms', 'mail', 'lms']) {
          await at.take(queue, SHORT_MS);
          await at.advance(SOON_MS);
        }
        const recovered = [...(await at.backend.recover('lms', POLICY)), ...(await at.backend.recover('mail', POLICY))];
        const states = new Map(recovered.map(({ jobId, state }) => [jobId, state]));
        expect([states.get(first), states.get(second), states.get(third)]).toEqual(['waiting', 'blocked', 'blocked']);

        await at.backend.settle(await at.take(), settlement('scheduled'));
        expect([await at.stateOf(second), await at.stateOf(third)]).toEqual(['blocked', 'waiting']);
        await at.backend.settle(await at.take(), settlement('dead'));
        expect(await at.stateOf(second)).toBe('waiting');
        await at.backend.settle(await at.take('mail'), settlement('parked'));
        // Above suspicion by now: nothing is left that could hold others up.
        expect(await at.accept({ lane: 'suspects' })).toBeDefined();
        expect(await at.pop('lms')).toBeDefined();
      });

      test('do not run earlier because others come into their lane or leave it', async () => {
        const lane = 'refunds:D-1001';
        const [first, second] = [await at.accept(), await at.accept({ lane })];
        await at.take('lms', SHORT_MS);
        await at.advance(SOON_MS);
        await at.backend.recover('lms', POLICY);
        await at.take();
        await at.take('lms', SHORT_MS);
        await at.advance(SOON_MS);
        expect(await at.backend.recover('lms', POLICY)).toMatchObject([{ jobId: second, state: 'blocked' }]);
        const third = await at.accept({ lane });
        expect([await at.stateOf(second), await at.stateOf(third)]).toEqual(['blocked', 'blocked']);
        await at.backend.cancel(third, aNote('order was withdrawn'));
        expect([await at.stateOf(first), await at.stateOf(second)]).toEqual(['running', 'blocked']);
        await at.backend.cancel(first, aNote('order was withdrawn'));
        expect(await at.pop('lms')).toBeUndefined();
      });
    });

    describe('the jobs of a lane', () => {
      const lane = 'refunds:D-1001';

      test('run one at a time in the order of acceptance, whatever their queue', async () => {
        const jobs = [
          await at.accept({ lane }),
          await at.accept({ lane, queue: 'mail' }),
          await at.accept({ lane }),
        ] as const;
        const other = await at.accept({ lane: 'refunds:D-1002' });
        const states = () => Promise.all(jobs.map((id) => at.stateOf(id)));
        expect(await states()).toEqual(['waiting', 'blocked', 'blocked']);
        expect(await at.stateOf(other)).toBe('waiting');
        await at.backend.settle(await at.take(), settlement('completed'));
        expect(await states()).toEqual(['completed', 'waiting', 'blocked']);
        await at.backend.settle(await at.take('mail'), settlement('completed'));
        expect(await states()).toEqual(['completed', 'completed', 'waiting']);
      });

      test('are held up by one that is retried, parked or taken back, and not by one that is dead', async () => {
        const [, second] = [await at.accept({ lane }), await at.accept({ lane })];
        await at.backend.settle(await at.take(), settlement('scheduled'));
        await at.backend.promote('lms');
        const lost = await at.take('lms', SHORT_MS);
        await at.advance(SOON_MS);
        await at.backend.recover('lms', { ...POLICY, crashLimit: 9 });
        expect(await at.backend.settle(lost, settlement('completed'))).toBe('stale');
        await at.backend.settle(await at.take(), settlement('parked'));
        expect(await at.stateOf(second)).toBe('blocked');
        await at.backend.settle(await at.takeFirstParked(['lms.enrol@1-1']), settlement('dead'));
        expect(await at.stateOf(second)).toBe('waiting');
      });

      test('that are due later hold up those behind them, and wait for their time when it is their turn', async () => {
        const [first, second, third] = [
          await at.accept({ lane }),
          await at.accept({ lane, delayMs: LONG_MS }),
          await at.accept({ lane }),
        ];
        expect(await Promise.all([first, second, third].map((id) => at.stateOf(id)))).toEqual([
          'waiting',
          'blocked',
          'blocked',
        ]);
        await at.backend.settle(await at.take(), settlement('completed'));
        expect(await Promise.all([first, second, third].map((id) => at.stateOf(id)))).toEqual([
          'completed',
          'scheduled',
          'blocked',
        ]);
      });

      test('take their place in it when they are children', async () => {
        const first = await at.accept({ lane });
        const child = aJob({ lane });
        await at.accept();
        const [claim, parent] = [await at.take(), await at.take()];
        await at.backend.settle(parent, settlement('completed', { children: [child] }));
        expect([claim.jobId, await at.stateOf(child.id)]).toEqual([first, 'blocked']);
        await at.backend.settle(claim, settlement('completed'));
        expect(await at.stateOf(child.id)).toBe('waiting');
      });
    });

    describe('cancel', () => {
      const error = { code: 'COORD_CANCELLED', message: 'order was withdrawn' };

      test('ends a job that waits, is scheduled, blocked or parked, and lets its lane go on', async () => {
        const parked = await at.accept();
        await at.backend.settle(await at.take(), settlement('parked'));
        const waiting = await at.accept({ lane: 'l', payload: '{"user":"ada"}' });
        const [blocked, next] = [await at.accept({ lane: 'l' }), await at.accept({ lane: 'l' })];
        const scheduled = await at.accept({ delayMs: LONG_MS });
        for (const [jobId, before] of Object.entries({
          [blocked]: 'blocked',
          [waiting]: 'waiting',
          [scheduled]: 'scheduled',
          [parked]: 'parked',
        })) {
          expect(await at.backend.cancel(jobId, aNote(error.message))).toEqual({ before, after: 'cancelled' });
          expect(await at.backend.job(jobId)).toMatchObject({ state: 'cancelled', outcome: 'cancelled', error });
        }
        expect([await at.stateOf(next), await at.payloadOf(waiting)]).toEqual(['waiting', undefined]);
        expect([await at.pop('lms'), await at.pop('lms')]).toEqual([next, undefined]);
        expect(await at.takeParked(['lms.enrol@1-1'])).toEqual([]);
      });

      test('tells a running job to stop, with its next heartbeat, and ends it unless it completes', async () => {
        for (const [state, after] of [
          ['scheduled', 'cancelled'],
          ['parked', 'cancelled'],
          ['completed', 'completed'],
        ] as const) {
          const jobId = await at.accept();
          const claim = await at.take();
          expect(await at.backend.cancel(jobId, aNote(error.message))).toEqual({ before: 'running', after: 'running' });
          expect(await at.backend.heartbeat('lms', [claim], LONG_MS)).toEqual([{ token: claim.token, why: error }]);
          await at.backend.settle(claim, settlement(state));
          expect(await at.backend.job(jobId)).toMatchObject({ state: after });
        }
      });

      test('ends a running job whose worker dies', async () => {
        const jobId = await at.accept();
        await at.take('lms', SHORT_MS);
        await at.backend.cancel(jobId, aNote(error.message));
        await at.advance(SOON_MS);
        expect(await at.backend.recover('lms', POLICY)).toMatchObject([{ jobId, state: 'cancelled' }]);
        expect(await at.backend.job(jobId)).toMatchObject({ state: 'cancelled', error });
      });

      test('leaves a job alone that has ended, and knows when there is none', async () => {
        const jobId = await at.accept();
        await at.backend.settle(await at.take(), settlement('dead'));
        expect(await at.backend.cancel(jobId, aNote(error.message))).toEqual({ before: 'dead', after: 'dead' });
        expect(await at.backend.cancel(randomUUID(), aNote(error.message))).toBeUndefined();
      });
    });
  });
}
