import type { LogFields } from '@coordinator/logging';

const EVERY_MS = 10_000;

/** Logs the errors of loops that go on in spite of them: each message once in ten seconds. */
export class RepeatedErrors {
  readonly #write: (fields: LogFields, message: string) => void;
  /** When each was logged last, by what was said and what the error says. */
  readonly #loggedAt = new Map<string, number>();

  constructor(write: (fields: LogFields, message: string) => void) {
    this.#write = write;
  }

  /** Logs `message`, or what to do where the error says that an index in Redis is damaged. */
  report(error: unknown, message: string, fields: LogFields = {}): void {
    const reason = error instanceof Error ? error.message : String(error);
    const now = performance.now();
    for (const [key, at] of this.#loggedAt) if (now - at >= EVERY_MS) this.#loggedAt.delete(key);
    const key = `${message} ${reason}`;
    if (this.#loggedAt.has(key)) return;
    this.#loggedAt.set(key, now);
    const cure = reason.startsWith('WRONGTYPE')
      ? ': a key has the wrong type, mend it with npm run audit -- --repair'
      : '';
    this.#write({ ...fields, err: error }, `${message}${cure}`);
  }
}
