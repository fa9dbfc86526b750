import type { BreakerPolicy } from './protection-policy.ts';

/** The breaker of one process on its own, for as long as the shared one cannot be asked: opens at failures in a row. */
export class LocalBreaker {
  readonly #policy: BreakerPolicy;
  readonly #now: () => number;
  #failures = 0;
  #openUntilMs = 0;

  /** @param now milliseconds of a clock that only goes forward; default performance.now */
  constructor(policy: BreakerPolicy, now: () => number = () => performance.now()) {
    this.#policy = policy;
    this.#now = now;
  }

  /** How long no call may be made; 0 for one that may be. The first one after an open time is the only one for another. */
  openForMs(): number {
    const { failures, openMs } = this.#policy;
    if (this.#failures < failures) return 0;
    const leftMs = this.#openUntilMs - this.#now();
    if (leftMs <= 0) this.#openUntilMs = this.#now() + openMs;
    return Math.max(0, leftMs);
  }

  succeeded(): void {
    this.#failures = 0;
  }

  failed(): void {
    this.#failures++;
    this.#openUntilMs = this.#now() + this.#policy.openMs;
  }
}
