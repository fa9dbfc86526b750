/** What a check has made and must not leave behind. */
export class Leftovers {
  readonly #steps: (() => Promise<unknown>)[] = [];

  /** @param remove called once, after those that are added later */
  add(remove: () => Promise<unknown>): void {
    this.#steps.push(remove);
  }

  /** Removes everything, whatever fails on the way, and gives what failed. */
  async remove(): Promise<Error[]> {
    const faults: Error[] = [];
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      await step().catch((fault: unknown) => faults.push(fault instanceof Error ? fault : new Error(String(fault))));
    }
    return faults;
  }
}
