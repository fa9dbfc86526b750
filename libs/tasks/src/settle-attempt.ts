import { setTimeout as delay } from 'node:timers/promises';
import { CoordinatorError, isUnavailable } from './error-codes.ts';
import { failureOf, type Outcome } from './outcome.ts';
import type { Claim, NewJob, Settlement } from './queue-backend.ts';
import type { AttemptRuntime } from './run-attempt.ts';

/** What became of an attempt's outcome. */
export interface Settled {
  readonly outcome: Outcome;
  /** False when the lease was lost: the job belongs to another attempt, and nothing was written. */
  readonly written: boolean;
}

const RETRY_PAUSE_MS = 250;

/**
 * Writes the outcome of an attempt, and its children with it, however long Redis takes to come back: the work is done,
 * and only this write keeps it from being done again.
 *
 * Children that can never be written make the job a dead letter.
 *
 * @throws what else the backend throws; the lease runs out then, and the job is taken back
 */
export async function settleAttempt(
  claim: Claim,
  outcome: Outcome,
  children: readonly NewJob[],
  attemptReport: string,
  runtime: AttemptRuntime,
): Promise<Settled> {
  const settlement = settlementOf(outcome, children, attemptReport);
  for (let told = false; ; told = true) {
    try {
      const result = await runtime.backend.settle(claim, settlement);
      return { outcome, written: result === 'settled' };
    } catch (error) {
      if (!isUnavailable(error)) {
        // Only the children are of the handler's making; without them the job can at least say what was wrong.
        if (children.length === 0) throw error;
        const dead: Outcome = { kind: 'dead', reason: 'permanent', error: failureOf(unwritable(error)) };
        return settleAttempt(claim, dead, [], attemptReport, runtime);
      }
      if (!told) runtime.log.warn({ jobId: claim.jobId, err: error }, 'outcome not written yet, trying again');
      await delay(RETRY_PAUSE_MS * (0.5 + Math.random()));
    }
  }
}

function unwritable(error: unknown): CoordinatorError {
  if (error instanceof CoordinatorError) return error;
  const message = `The jobs that the handler enqueued cannot be written: ${String(error)}`;
  return new CoordinatorError('COORD_CHILDREN_UNWRITABLE', message);
}

function settlementOf(outcome: Outcome, children: readonly NewJob[], attemptReport: string): Settlement {
  const common = {
    outcome: 'reason' in outcome ? outcome.reason : outcome.kind,
    delayMs: 0,
    spendsAttempt: true,
    error: 'error' in outcome ? JSON.stringify(outcome.error) : undefined,
    attemptReport: undefined,
    children,
  };
  switch (outcome.kind) {
    case 'completed':
    case 'cancelled':
      return { ...common, state: outcome.kind };
    case 'dead':
      return { ...common, state: 'dead', attemptReport };
    case 'retried':
      return { ...common, state: 'scheduled', delayMs: outcome.delayMs, attemptReport };
    case 'snoozed':
      return { ...common, state: 'scheduled', delayMs: outcome.delayMs, spendsAttempt: false, attemptReport };
    case 'parked':
      return { ...common, state: 'parked', spendsAttempt: false };
  }
}
