/** How often the thread looks whether the event loop has turned. */
export const LOOK_EVERY_MS = 250;
const TELL_AFTER_MS = 1_000;
/** A loop that stands still for longer will not turn again: the process is to be replaced. */
const GIVE_UP_AFTER_MS = 30_000;

/** What is to be done about a loop. */
export type Standstill = 'none' | 'tell' | 'lease-over' | 'give-up';

/**
 * Judges from looks at regular intervals for how long the event loop stands still. Counts looks and not time: a process
 * that was frozen as a whole has not been blocked by anything in it.
 */
export class StandstillWatch {
  readonly #leaseMs: number;
  #seen = -1;
  #looks = 0;

  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs;
  }

  /** For how long it has stood still. */
  get blockedMs(): number {
    return this.#looks * LOOK_EVERY_MS;
  }

  /** Takes a look. Says `tell` once for each standstill, and everything after it once. */
  look(beats: number): Standstill {
    this.#looks = beats === this.#seen ? this.#looks + 1 : 0;
    this.#seen = beats;
    const reached = (ms: number) => this.blockedMs === Math.ceil(ms / LOOK_EVERY_MS) * LOOK_EVERY_MS;
    if (reached(this.#leaseMs + GIVE_UP_AFTER_MS)) return 'give-up';
    if (reached(Math.max(this.#leaseMs, TELL_AFTER_MS + 1))) return 'lease-over';
    return reached(TELL_AFTER_MS) ? 'tell' : 'none';
  }

  /** Whether the jobs of this process may go to others: nothing has turned for a whole lease. */
  get leaseIsOver(): boolean {
    return this.blockedMs >= this.#leaseMs;
  }
}
