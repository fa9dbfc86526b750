import { CoordinatorError } from '@coordinator/tasks';

/** How many requests a caller may send. */
export interface Rate {
  readonly perSecond: number;
  /** How many may come at once after a pause. Default: `perSecond`. */
  readonly burst?: number | undefined;
}

/**
 * A limit per caller: the generic cell rate algorithm, which keeps one number for each and needs no timer. Of this
 * process only; a limit that all processes share would cost every request a round trip.
 */
export class RateLimit {
  readonly #everyMs: number;
  readonly #slackMs: number;
  readonly #nowMs: () => number;
  /** When the next request of a caller would be on time. Callers are those of API_TOKENS, so it does not grow. */
  readonly #dueMs = new Map<string, number>();

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
  }
}
