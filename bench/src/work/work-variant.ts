import type { BenchProcess } from '../bench-process.ts';
import type { BenchRedis } from '../bench-redis.ts';
import { measure, type Measurement } from '../measurement.ts';
import type { Variant } from '../rounds.ts';
import type { TraceSink } from '../trace-sink.ts';

/** What a WorkVariant is made of. */
export interface WorkVariantOptions {
  readonly name: string;
  /** A process that runs one of the workers beside this file. */
  readonly worker: BenchProcess;
  readonly redis: BenchRedis;
  /** Jobs per window. */
  readonly jobs: number;
  /** Set for a worker that exports its spans. */
  readonly spansTo: TraceSink | undefined;
}

const WARM_UP_JOBS = 4_000;

/** A worker that is measured while it works off a queue that was filled before. */
export class WorkVariant implements Variant {
  readonly name: string;
  readonly #options: WorkVariantOptions;
  #lostSpans = 0;

  constructor(options: WorkVariantOptions) {
    this.name = options.name;
    this.#options = options;
  }

  async warmUp(): Promise<void> {
    await this.#fill(WARM_UP_JOBS);
    await this.#workOff(WARM_UP_JOBS);
    this.#lostSpans = 0;
  }

  async measure(): Promise<Measurement> {
    const { worker, redis, jobs } = this.#options;
    await this.#fill(jobs);
    return measure(worker, redis, jobs, () => this.#workOff(jobs));
  }

  remarks(): string[] {
    return this.#lostSpans > 0 ? [`${this.name}: ${this.#lostSpans} spans were not exported`] : [];
  }

  stop(): Promise<void> {
    return this.#options.worker.stop();
  }

  /** The PRODUCER spans of the jobs are out before the window begins. */
  async #fill(jobs: number): Promise<void> {
    await this.#spansOf(jobs, () => this.#options.worker.ask('fill', jobs));
  }

  /** The window ends with the export of the last CONSUMER span. */
  async #workOff(jobs: number): Promise<void> {
    this.#lostSpans += await this.#spansOf(jobs, () => this.#options.worker.ask('workOff'));
  }

  async #spansOf(jobs: number, act: () => Promise<unknown>): Promise<number> {
    const { spansTo } = this.#options;
    const expected = spansTo && (await spansTo.spans()) + jobs;
    await act();
    return spansTo && expected ? spansTo.until(expected) : 0;
  }
}
