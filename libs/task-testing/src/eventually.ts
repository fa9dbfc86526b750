import { setTimeout as delay } from 'node:timers/promises';

/** How long eventually() tries. */
export interface EventuallyOptions {
  /** Default 10 000. */
  readonly deadlineMs?: number;
  /** Pause between two tries, in milliseconds. Default 25. */
  readonly everyMs?: number;
}

/**
 * Repeats `check` until it no longer throws, and gives its value. For what gives no signal, real processes above all;
 * in one process wait for the thing itself.
 *
 * @throws what `check` threw last, as the cause of an Error that names the deadline
 */
export async function eventually<T>(check: () => T | Promise<T>, options: EventuallyOptions = {}): Promise<T> {
  const { deadlineMs = 10_000, everyMs = 25 } = options;
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    try {
      return await check();
    } catch (cause) {
      if (performance.now() >= endMs) {
        const last = cause instanceof Error ? cause.message : String(cause);
        throw new Error(`Not true within ${deadlineMs} ms: ${last}`, { cause });
      }
    }
    await delay(everyMs);
  }
}
