const TICK_MS = 10;
/** What a timer may be late by without anybody having been in its way. */
const GRACE_MS = 5;

/** A time in which an event loop did not turn, in milliseconds since 1970. */
export interface Standstill {
  readonly from: number;
  readonly to: number;
  /** How much of that its process used the processor for: the rest of the time it was not run. */
  readonly cpuMs: number;
}

/**
 * Knows when the event loop of this process stood still: what a timer or an answer was late by then is this process's
 * doing, or that of a machine which did not let it run, and not that of whoever was asked.
 */
export class LoopWatch {
  readonly #standstills: Standstill[] = [];
  readonly #timer: NodeJS.Timeout;
  #tickedAt = Date.now();
  #cpu = process.cpuUsage();

  /** @param onStandstill told each one when it is over. Default: nobody */
  constructor(onStandstill: (still: Standstill) => void = () => undefined) {
    this.#timer = setInterval(() => {
      const still = this.#sinceTick();
      if (still) {
        this.#standstills.push(still);
        onStandstill(still);
      }
      this.#tickedAt = Date.now();
      this.#cpu = process.cpuUsage();
    }, TICK_MS).unref();
  }

  /** How many milliseconds of a time it did not turn; both ends in milliseconds since 1970. */
  stoodStillMs(from: number, to: number): number {
    // One that lasts until now has had no tick yet.
    const now = this.#sinceTick();
    return stoodStillMs(this.#standstills, from, to) + stoodStillMs(now ? [now] : [], from, to);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #sinceTick(): Standstill | undefined {
    const [from, to] = [this.#tickedAt + TICK_MS, Date.now()];
    if (to - from <= GRACE_MS) return undefined;
    const { user, system } = process.cpuUsage(this.#cpu);
    return { from, to, cpuMs: Math.min(to - from, (user + system) / 1_000) };
  }
}

/** The sum of what standstills have of a time. @param standstills in order of time */
export function stoodStillMs(
  standstills: readonly Pick<Standstill, 'from' | 'to'>[],
  from: number,
  to: number,
): number {
  let sum = 0;
  for (let i = standstills.length - 1; i >= 0; i -= 1) {
    const still = standstills[i] as Pick<Standstill, 'from' | 'to'>;
    if (still.to <= from) break;
    sum += Math.max(0, Math.min(to, still.to) - Math.max(from, still.from));
  }
  return sum;
}
