import { setMaxListeners } from 'node:events';

/** The end of a call, set by a time limit or by the caller, whichever comes first. Timers of Node are monotonic. */
export class Deadline {
  /** Why it passed, when it was the time limit and not the caller. */
  static readonly timedOut = new DOMException('The time limit of the call has passed', 'TimeoutError');

  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #caller: AbortSignal | undefined;
  readonly #onCallerAbort = () => this.#abort.abort(this.#caller?.reason);

  // By hand and not with AbortSignal.any and .timeout: those leave timers and references behind calls that are over.
  constructor(timeoutMs: number, caller?: AbortSignal) {
    this.#timer = setTimeout(() => this.#abort.abort(Deadline.timedOut), timeoutMs);
    this.#caller = caller;
    if (!caller) return;
    // A handler gives one signal to all its calls; Node warns of a leak from the eleventh at once.
    setMaxListeners(Infinity, caller);
    if (caller.aborted) this.#onCallerAbort();
    caller.addEventListener('abort', this.#onCallerAbort, { once: true });
  }

  /** Aborted when the deadline passes. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Waits for work that goes on by itself. Throws the reason of the signal when the deadline passes first. */
  async waitFor<T>(work: Promise<T>): Promise<T> {
    const { signal } = this;
    let onAbort = (): void => undefined;
    const passed = new Promise<never>((_, reject) => {
      // The reason is whatever the caller chose.
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
      onAbort = () => reject(signal.reason);
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
    });
    try {
      return await Promise.race([work, passed]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** The call is over: lets go of timer and caller. */
  end(): void {
    clearTimeout(this.#timer);
    this.#caller?.removeEventListener('abort', this.#onCallerAbort);
  }
}
