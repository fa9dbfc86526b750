import { CoordinatorError } from '@coordinator/tasks';

/** How many requests a caller may send. */
export interface Rate {
  readonly perSecond: number;
  /** How many may come at once after a pause. Default: `perSecond`. */
  readonly burst?: number | undefined;
}

/** So many callers that most of them may have left: an issuer of JWTs names as many as it likes. */
const SWEEP_AT = 1_000;

/**
 * A limit per caller: the generic cell rate algorithm, which keeps one number for each and needs no timer. Of this
 * process only; a limit that all processes share would cost every request a round trip.
 */
export class RateLimit {
  readonly #everyMs: number;
  readonly #slackMs: number;
  readonly #nowMs: () => number;
  /** When the next request of a caller would be on time. */
  readonly #dueMs = new Map<string, number>();
  #sweepAt = SWEEP_AT;

  /** @param nowMs a monotonic clock. Default: performance.now */
  constructor({ perSecond, burst = perSecond }: Rate, nowMs: () => number = () => performance.now()) {
    this.#everyMs = 1_000 / perSecond;
    this.#slackMs = this.#everyMs * (burst - 1);
    this.#nowMs = nowMs;
  }

  /** Counts one request. @throws CoordinatorError COORD_RATE_LIMITED */
  take(caller: string): void {
    const nowMs = this.#nowMs();
    const dueMs = Math.max(this.#dueMs.get(caller) ?? nowMs, nowMs);
    // Sums of fractions of a millisecond are not exact.
    if (dueMs - nowMs > this.#slackMs + 1e-6) throw new CoordinatorError('COORD_RATE_LIMITED');
    this.#dueMs.set(caller, dueMs + this.#everyMs);
    if (this.#dueMs.size >= this.#sweepAt) this.#sweep(nowMs);
  }

  /** Forgets those who are as if they had never come. */
  #sweep(nowMs: number): void {
    for (const [caller, dueMs] of this.#dueMs) if (dueMs <= nowMs) this.#dueMs.delete(caller);
    this.#sweepAt = Math.max(SWEEP_AT, this.#dueMs.size * 2);
  }
}
