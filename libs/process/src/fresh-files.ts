import type { Logger } from '@coordinator/logging';
import { RepeatedErrors } from '@coordinator/tasks';
import { isDeepStrictEqual } from 'node:util';

/** Files that are used again when they change. */
export interface FreshFilesOptions<T> {
  /** Reads all of them. What it throws changes nothing. */
  readonly read: () => T;
  /** What was read first. */
  readonly first: T;
  /** Takes what has changed. What it throws changes nothing, either. */
  readonly use: (found: T) => void;
  /** What is logged when they were taken, and when they could not be. */
  readonly messages: { readonly taken: string; readonly refused: string };
  readonly log: Logger;
  /** How often they are looked at. Default 10 000. */
  readonly reloadEveryMs?: number | undefined;
}

/** Looks at files again and again, until what it returns is called. Keeps no process alive. */
export function keepFresh<T>(options: FreshFilesOptions<T>): () => void {
  const { read, first, use, messages, log, reloadEveryMs = 10_000 } = options;
  const errors = new RepeatedErrors((fields, message) => log.warn(fields, message));
  let seen = first;
  const reload = () => {
    try {
      const found = read();
      if (isDeepStrictEqual(found, seen)) return;
      seen = found;
      use(found);
      log.info(messages.taken);
    } catch (error) {
      errors.report(error, messages.refused);
    }
  };
  // Not by watching: mounted secrets are changed by changing a link to their folder.
  const timer = setInterval(reload, reloadEveryMs).unref();
  return () => clearInterval(timer);
}
