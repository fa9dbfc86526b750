import { CoordinatorError } from '@coordinator/tasks';

/** How much a process takes on. */
export interface OverloadLimits {
  /** Requests whose jobs are being written or read. Default 1000. */
  readonly maxInFlight?: number;
  /** How late the event loop may be, in milliseconds. Default 1000. */
  readonly maxLoopLagMs?: number;
  /** Bytes of all bodies that are coming in or being worked on. Default 64 MiB. */
  readonly maxHeldBytes?: number;
}

const EVERY_MS = 100;

/** Refuses work that would only make all of it late: a quick 503 is worth more to a caller than a slow one. */
export class Overload {
  readonly #maxInFlight: number;
  readonly #maxLoopLagMs: number;
  #inFlight = 0;
  #lagMs = 0;

  /** Measures for as long as the process lives, without keeping it alive. */
  constructor({ maxInFlight = 1_000, maxLoopLagMs = 1_000 }: OverloadLimits = {}) {
    this.#maxInFlight = maxInFlight;
    this.#maxLoopLagMs = maxLoopLagMs;
    let lastMs = performance.now();
    setInterval(() => {
      const nowMs = performance.now();
      this.#lagMs = nowMs - lastMs - EVERY_MS;
      lastMs = nowMs;
    }, EVERY_MS).unref();
  }

  /** @throws CoordinatorError COORD_OVERLOADED while the event loop is late */
  assertTimely(): void {
    if (this.#lagMs > this.#maxLoopLagMs) throw new CoordinatorError('COORD_OVERLOADED');
  }

  /** Counts a request while it is worked on. @throws CoordinatorError COORD_OVERLOADED, and then it is not worked on */
  async during<Result>(work: () => Promise<Result>): Promise<Result> {
    this.enter();
    try {
      return await work();
    } finally {
      this.leave();
    }
  }

  /**
   * Counts a request whose body has arrived, until leave(); slow senders are no work and do not count.
   *
   * @throws CoordinatorError COORD_OVERLOADED, and then it is not counted
   */
  enter(): void {
    if (this.#inFlight >= this.#maxInFlight) throw new CoordinatorError('COORD_OVERLOADED');
    this.#inFlight += 1;
  }

  /** The request is answered. */
  leave(): void {
    this.#inFlight -= 1;
  }
}
