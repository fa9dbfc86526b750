/** Holds handlers back while a queue is filled, so that a window begins with all its jobs waiting. */
export class Gate {
  #open: Promise<void> | undefined;
  #release: () => void = () => undefined;
  #held = 0;

  /** How many handlers stand before the gate. */
  get held(): number {
    return this.#held;
  }

  close(): void {
    this.#open = new Promise((resolve) => (this.#release = resolve));
  }

  open(): void {
    this.#release();
    this.#open = undefined;
    this.#held = 0;
  }

  /** What every handler awaits; nothing while the gate is open. */
  pass(): Promise<void> | undefined {
    if (this.#open) this.#held += 1;
    return this.#open;
  }
}
