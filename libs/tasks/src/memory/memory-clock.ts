/** The clock of a MemoryBackend: it stands still until it is moved. */
export class MemoryClock {
  #nowMs: number;

  /** @param startMs milliseconds since 1970. Default: the present. */
  constructor(startMs: number = Date.now()) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  /** Moves the clock on. */
  advance(byMs: number): void {
    this.#nowMs += byMs;
  }
}
