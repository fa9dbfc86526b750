/** How long a wait of a fake server lasts unless told otherwise, in milliseconds. */
const DEFAULT_WAIT_MS = 5_000;

interface Waiting {
  readonly check: () => boolean;
  readonly giveUp: () => void;
}

/** Lets a test wait for something to become true, woken by the change itself and not by a timer. */
export class Watch {
  readonly #waiting = new Set<Waiting>();

  /**
   * Resolves with the first value of `read` that is not undefined; `read` is called now and after every change.
   *
   * @param complain makes the message of the error, when the wait is over without a value
   * @throws Error after `deadlineMs` (default 5 000), or when the watch is closed
   */
  until<T>(read: () => T | undefined, complain: () => string, deadlineMs: number = DEFAULT_WAIT_MS): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const end = (finish: () => void) => {
        clearTimeout(timer);
        this.#waiting.delete(waiting);
        finish();
      };
      const waiting: Waiting = {
        check: () => {
          const value = read();
          if (value === undefined) return false;
          end(() => resolve(value));
          return true;
        },
        giveUp: () => end(() => reject(new Error(complain()))),
      };
      const timer = setTimeout(waiting.giveUp, deadlineMs);
      this.#waiting.add(waiting);
      waiting.check();
    });
  }

  /** Says that something changed. */
  changed(): void {
    for (const waiting of [...this.#waiting]) waiting.check();
  }

  /** Ends all waits with their errors. */
  close(): void {
    for (const waiting of [...this.#waiting]) waiting.giveUp();
  }
}
