const TICK_MS = 10;
/** What a timer may be late by without anybody having been in its way. */
const GRACE_MS = 5;

/** A time in which the event loop did not turn. */
interface Standstill {
  readonly from: number;
  readonly to: number;
}

/**
 * Knows when the event loop of this process stood still: what a timer or an answer was late by then is this process's
 * doing, or that of a machine which did not let it run, and not that of whoever was asked.
 */
export class LoopWatch {
  readonly #standstills: Standstill[] = [];
  readonly #timer: NodeJS.Timeout;
  #tickedAt = Date.now();

  constructor() {
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref();
  }

  /** How many milliseconds of a time it did not turn; both ends in milliseconds since 1970. */
  stoodStillMs(from: number, to: number): number {
    const shared = (still: Standstill) => Math.max(0, Math.min(to, still.to) - Math.max(from, still.from));
    // One that lasts until now has had no tick yet.
    let sum = shared(this.#sinceTick() ?? { from, to: from });
    for (let i = this.#standstills.length - 1; i >= 0; i -= 1) {
      const still = this.#standstills[i] as Standstill;
      if (still.to <= from) break;
      sum += shared(still);
    }
    return sum;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const still = this.#sinceTick();
    if (still) this.#standstills.push(still);
    this.#tickedAt = Date.now();
  }

  #sinceTick(): Standstill | undefined {
    const still = { from: this.#tickedAt + TICK_MS, to: Date.now() };
    return still.to - still.from > GRACE_MS ? still : undefined;
  }
}
