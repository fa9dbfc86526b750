import type { ImageEngine } from '../image-engine.ts';

/** Removes something, with an engine that is still open. */
type Removal = (engine: ImageEngine) => Promise<unknown>;

/** What a check has made and must not leave behind. */
export class Leftovers {
  readonly #steps: Removal[] = [];

  /** @param remove called once, after those that are added later */
  add(remove: Removal): void {
    this.#steps.push(remove);
  }

  /** Removes everything, whatever fails on the way, and gives what failed. */
  async remove(engine: ImageEngine): Promise<Error[]> {
    const faults: Error[] = [];
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      await step(engine).catch((fault: unknown) =>
        faults.push(fault instanceof Error ? fault : new Error(String(fault))),
      );
    }
    return faults;
  }
}
