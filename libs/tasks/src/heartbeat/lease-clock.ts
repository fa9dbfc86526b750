/**
 * When the leases of a process are over, by a clock of its own that only goes forward: Redis cannot be asked by a process
 * that is cut off from it. Never later than by the clock of Redis: a renewal counts from when it was asked for.
 */
export class LeaseClock {
  readonly #leaseMs: number;
  readonly #now: () => number;
  /** When the leases began, by token. */
  readonly #begun = new Map<string, number>();
  #lookedAt: number;

  /** @param now milliseconds; default performance.now */
  constructor(leaseMs: number, now: () => number = () => performance.now()) {
    this.#leaseMs = leaseMs;
    this.#now = now;
    this.#lookedAt = now();
  }

  /** Takes note of what is held now, by token. What is new was claimed since the last time. */
  hold(tokens: readonly string[]): void {
    const held = new Set(tokens);
    for (const token of this.#begun.keys()) if (!held.has(token)) this.#begun.delete(token);
    for (const token of held) if (!this.#begun.has(token)) this.#begun.set(token, this.#lookedAt);
    this.#lookedAt = this.#now();
  }

  /** Redis has renewed these, as it was asked to at `askedAt`. */
  renewed(tokens: readonly string[], askedAt: number): void {
    for (const token of tokens) if (this.#begun.has(token)) this.#begun.set(token, askedAt);
  }

  /** Those that are over, or will be within `withinMs`. */
  over(withinMs: number): string[] {
    const begunBefore = this.#now() + withinMs - this.#leaseMs;
    return [...this.#begun].filter(([, begunAt]) => begunAt <= begunBefore).map(([token]) => token);
  }
}
