import { CoordinatorError, type CoordinatorErrorCode } from './error-codes.ts';

/**
 * How a failure is to be treated:
 * - `permanent`: the same call can never succeed; the job is dead at once.
 * - `transient`: try again with backoff.
 * - `rate-limited`: try again when the downstream allows it; the attempt is not spent.
 * - `unknown-outcome`: the call may have taken effect; try again under the same idempotency key.
 */
export type FailureKind = 'permanent' | 'transient' | 'rate-limited' | 'unknown-outcome';

/** A classified failure of an attempt. The message is stored and logged: put no payload value into it. */
export class TaskError extends CoordinatorError {
  override readonly name = 'TaskError';
  readonly kind: FailureKind;
  /** The earliest time for another try, in milliseconds from now; from `Retry-After` and the like. Never 0. */
  readonly retryAfterMs: number | undefined;

  constructor(
    kind: FailureKind,
    code: CoordinatorErrorCode,
    message?: string,
    options: { retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(code, message, { cause: options.cause });
    this.kind = kind;
    // A header that is no time says nothing, and neither does one that asks for none.
    this.retryAfterMs = isTime(options.retryAfterMs) ? options.retryAfterMs : undefined;
  }
}

/** Thrown by a handler to wait without spending an attempt; see {@link retryLater}. */
export class Snooze extends Error {
  override readonly name = 'Snooze';
  readonly delayMs: number;
  /** What stands in the record of the job, where the reason has a code of its own. */
  readonly code: CoordinatorErrorCode | undefined;

  /** @throws RangeError when `delayMs` is no time */
  constructor(delayMs: number, reason: string, code?: CoordinatorErrorCode) {
    super(reason);
    this.code = code;
    if (!(delayMs >= 0 && delayMs < Infinity)) throw new RangeError(`retryLater() needs a delay in ms, not ${delayMs}`);
    this.delayMs = delayMs;
  }
}

/** Why a handler's signal was aborted when its worker stops: the job goes back as if the attempt had not been. */
export class Interruption extends Error {
  override readonly name = 'Interruption';

  constructor() {
    super('The worker was stopped');
  }
}

/** Why a handler's signal was aborted when the lease of its attempt is over: the same, if nobody else has the job by then. */
export function leaseLost(): TaskError {
  return new TaskError('transient', 'COORD_LEASE_LOST');
}

/** Whether this is the reason of {@link leaseLost}. */
export function isLeaseLost(reason: unknown): boolean {
  return reason instanceof CoordinatorError && reason.code === 'COORD_LEASE_LOST';
}

/** Thrown by a handler to end its job without effect and without a dead letter; see {@link cancel}. */
export class Cancellation extends CoordinatorError {
  override readonly name = 'Cancellation';

  constructor(reason: string) {
    super('COORD_CANCELLED', reason);
  }
}

/**
 * `throw retryLater(60_000, 'payment not mirrored yet')`: run again after `delayMs`; spends no attempt.
 *
 * @throws RangeError when `delayMs` is no time
 */
export function retryLater(delayMs: number, reason: string): Snooze {
  return new Snooze(delayMs, reason);
}

/** `throw cancel('order was withdrawn')`: there is nothing left to do; the job ends as cancelled. */
export function cancel(reason: string): Cancellation {
  return new Cancellation(reason);
}

/** `throw permanent('No course with this key')`: another try cannot help; the job becomes a dead letter. */
export function permanent(message: string): TaskError {
  return new TaskError('permanent', 'COORD_HANDLER_FAILED', message);
}

function isTime(ms: number | undefined): boolean {
  return ms !== undefined && ms > 0 && ms < Infinity;
}
