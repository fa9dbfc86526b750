/** Share of `maxmemory` from which on no new jobs are admitted: the rest is for those that are there to move and end. */
const ADMIT_BELOW = 0.8;
const READ_EVERY_MS = 500;
/** Without a look for longer than this nothing is known, and Redis itself refuses what it cannot take. */
const KNOWN_FOR_MS = 2_000;

/** Knows whether Redis is nearly full, at the price of one short question per half second of traffic. */
export class MemoryWatch {
  readonly #readInfo: () => Promise<string>;
  #full = false;
  #readAt = -Infinity;
  #reading: Promise<void> | undefined;

  /** `readInfo` returns what `INFO memory` says. */
  constructor(readInfo: () => Promise<string>) {
    this.#readInfo = readInfo;
  }

  /** Whether new jobs are to be refused, as far as is known: the answer to the next question is not waited for. */
  isFull(): boolean {
    const ageMs = performance.now() - this.#readAt;
    if (ageMs > READ_EVERY_MS) {
      this.#reading ??= this.#read().finally(() => (this.#reading = undefined));
    }
    return this.#full && ageMs < KNOWN_FOR_MS;
  }

  async #read(): Promise<void> {
    try {
      const info = await this.#readInfo();
      const limit = numberOf(info, 'maxmemory');
      this.#full = limit > 0 && numberOf(info, 'used_memory') >= limit * ADMIT_BELOW;
    } catch {
      // Managed services may forbid INFO, and an outage is told by the write itself. A full Redis that is too slow to answer is
      // no emptier for it.
    }
    this.#readAt = performance.now();
  }
}

function numberOf(info: string, field: string): number {
  return Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
}
