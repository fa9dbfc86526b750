/** The longest wait for a slot; a longer one is the job's, so that it holds no worker. */
const WAIT_MS = 1_000;
/** When no slot has changed hands for this long, nobody begins to wait: whoever holds them hangs. */
const STALLED_MS = 250;

/**
 * Hands out a fixed number of slots, in order of asking, as long as they change hands: one downstream that hangs keeps
 * the workers of its neighbours no longer than that. undici's own Pool has a queue too, but a request that is aborted
 * in it stays there until its turn and then costs a connection, and after a failed connect the Pool opens more
 * connections than it is allowed (3 for 2, measured with undici 7.30).
 */
export class ConnectionSlots {
  #free: number;
  /** When a slot was taken or given back last, by the clock that only goes forward. */
  #movedAtMs = 0;
  readonly #waiting = new Set<() => void>();

  constructor(count: number) {
    this.#free = count;
  }

  /**
   * Waits for a slot, up to 1 s; call what it returns to give the slot back. Undefined when there is none. Throws the reason
   * of the signal when that is first.
   */
  async take(signal: AbortSignal): Promise<(() => void) | undefined> {
    signal.throwIfAborted();
    const now = performance.now();
    if (this.#free > 0) this.#free--;
    else if (now - this.#movedAtMs > STALLED_MS || !(await this.#turn(signal))) return undefined;
    this.#movedAtMs = performance.now();
    let held = true;
    return () => {
      if (held) this.#giveBack();
      held = false;
    };
  }

  /** False when it did not come in time. */
  #turn(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const end = (came: boolean): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        resolve(came);
      };
      const onTurn = (): void => end(true);
      const timer = setTimeout(() => {
        this.#waiting.delete(onTurn);
        end(false);
      }, WAIT_MS);
      const onAbort = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(onTurn);
        // The reason is whatever the caller chose.
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
        reject(signal.reason);
      };
      this.#waiting.add(onTurn);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  #giveBack(): void {
    this.#movedAtMs = performance.now();
    const [next] = this.#waiting;
    if (!next) {
      this.#free++;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
