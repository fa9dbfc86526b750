/** How often the thread looks whether the event loop has turned. */
export const LOOK_EVERY_MS = 250;
const TELL_AFTER_MS = 1_000;
/** A loop that stands still for longer will not turn again: the process is to be replaced. */
const GIVE_UP_AFTER_MS = 60_000;

/** What is to be done about a loop. */
export type Standstill = 'none' | 'tell' | 'give-up';

/**
 * Judges from looks at regular intervals for how long the event loop stands still. Counts looks and not time: a process
 * that was frozen as a whole has not been blocked by anything in it.
 */
export class StandstillWatch {
  #seen = -1;
  #looks = 0;

  /** For how long it has stood still. */
  get blockedMs(): number {
    return this.#looks * LOOK_EVERY_MS;
  }

  /** Takes a look. Says `tell` and `give-up` once for each standstill. */
  look(beats: number): Standstill {
    this.#looks = beats === this.#seen ? this.#looks + 1 : 0;
    this.#seen = beats;
    if (this.blockedMs === GIVE_UP_AFTER_MS) return 'give-up';
    return this.blockedMs === TELL_AFTER_MS ? 'tell' : 'none';
  }
}
