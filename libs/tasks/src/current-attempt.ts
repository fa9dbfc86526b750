import { AsyncLocalStorage } from 'node:async_hooks';

const running = new AsyncLocalStorage<boolean>();

/** Runs a handler so that what it calls can tell whether it serves a retry. */
export function asAttempt<T>(isRetry: boolean, handler: () => T): T {
  return running.run(isRetry, handler);
}

/**
 * Whether what calls this serves an attempt after one that failed. Outside of attempts it does not, and neither does an
 * attempt after one whose process ended: that says nothing against those who are called.
 */
export function servesRetry(): boolean {
  return running.getStore() ?? false;
}
