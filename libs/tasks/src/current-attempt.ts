import { AsyncLocalStorage } from 'node:async_hooks';

const running = new AsyncLocalStorage<number>();

/** Runs a handler so that what it calls can tell which attempt it serves. */
export function asAttempt<T>(attempt: number, handler: () => T): T {
  return running.run(attempt, handler);
}

/** Which attempt of its job calls this, from 1; undefined outside of attempts. Above 1 it is a retry. */
export function currentAttempt(): number | undefined {
  return running.getStore();
}
