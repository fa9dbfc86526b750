import type { Logger } from '@coordinator/logging';
import { countStuckHandler } from '@coordinator/tracing';
import { CoordinatorError } from './error-codes.ts';
import type { Claim, Hold, StopOrder } from './queue-backend.ts';
import { Cancellation, leaseLost } from './task-error.ts';

/** An attempt whose handler runs. */
export interface RunningAttempt {
  readonly claim: Claim;
  readonly abort: AbortController;
  /** Name of the task; undefined until the envelope is read. */
  task: string | undefined;
  /** Whether its handler was told to stop, long ago, and goes on. */
  stuck: boolean;
  /** Runs from when it is told to stop. */
  patience: NodeJS.Timeout | undefined;
}

/** A handler that was told to stop and has not ended by then ignores its signal. */
const STUCK_AFTER_MS = 10_000;

/** The attempts that a worker runs now. */
export class RunningAttempts {
  /** By token: after an outage two attempts of one job may run here, of which one has lost its lease. */
  readonly #attempts = new Map<string, RunningAttempt>();
  readonly #log: Logger;
  readonly #onStuck: (queue: string, stuck: number) => void;

  /** `onStuck` is told how many slots of a queue are held by handlers that ignore their signal, each time one more is. */
  constructor(log: Logger, onStuck: (queue: string, stuck: number) => void) {
    this.#log = log;
    this.#onStuck = onStuck;
  }

  get size(): number {
    return this.#attempts.size;
  }

  /** All of them. */
  attempts(): RunningAttempt[] {
    return [...this.#attempts.values()];
  }

  /** What heartbeats are to renew, by queue. */
  holds(): ReadonlyMap<string, readonly Hold[]> {
    const holds = new Map<string, Hold[]>();
    for (const { claim } of this.#attempts.values()) {
      const { queue, jobId, token } = claim;
      const held = holds.get(queue);
      if (held) held.push({ jobId, token });
      else holds.set(queue, [{ jobId, token }]);
    }
    return holds;
  }

  /** Runs `run` as an attempt of a claim. */
  async during(claim: Claim, run: (attempt: RunningAttempt) => Promise<unknown>): Promise<void> {
    const abort = new AbortController();
    const attempt: RunningAttempt = { claim, abort, task: undefined, stuck: false, patience: undefined };
    abort.signal.addEventListener('abort', () => {
      attempt.patience = setTimeout(() => this.#stick(attempt), STUCK_AFTER_MS);
    });
    this.#attempts.set(claim.token, attempt);
    try {
      await run(attempt);
    } finally {
      clearTimeout(attempt.patience);
      this.#attempts.delete(claim.token);
    }
  }

  /** Tells one attempt to stop; one that has ended by now is gone from here. */
  stop({ token, why }: StopOrder): void {
    const attempt = this.#attempts.get(token);
    if (!attempt) return;
    attempt.abort.abort(typeof why === 'string' ? leaseLost() : new Cancellation(why.message));
    // While Redis is away an attempt waits for it to keep what it did: that is no handler that ignores its signal.
    if (why === 'over' && !attempt.stuck) attempt.patience?.refresh();
  }

  /** Tells all attempts to stop. */
  stopAll(reason: Error): void {
    for (const { abort } of this.#attempts.values()) abort.abort(reason);
  }

  #stick(attempt: RunningAttempt): void {
    const { claim, task, abort } = attempt;
    attempt.stuck = true;
    const { reason } = abort.signal as { reason: unknown };
    const code = reason instanceof CoordinatorError ? reason.code : undefined;
    const fields = { jobId: claim.jobId, queue: claim.queue, task, attempt: claim.attempt, code };
    this.#log.error(fields, 'a handler ignores its signal: it holds its slot until it ends or the process is replaced');
    countStuckHandler({ task: task ?? 'unknown', queue: claim.queue });
    const stuck = [...this.#attempts.values()].filter((other) => other.stuck && other.claim.queue === claim.queue);
    this.#onStuck(claim.queue, stuck.length);
  }
}
