import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import { BenchProcess } from './bench-process.ts';

// The default, 5 s, would leave the last spans of a window to the next one. More batches are dearer, if anything.
const BATCH_DELAY_MS = 500;
const QUIET_MS = 3 * BATCH_DELAY_MS;
const POLL_MS = 50;

/** Where traced variants export to: a collector in a process of its own that counts spans and forgets them. */
export class TraceSink {
  readonly #process: BenchProcess;
  readonly #url: string;

  private constructor(process: BenchProcess, url: string) {
    this.#process = process;
    this.#url = url;
  }

  /** Starts it. */
  static async start(): Promise<TraceSink> {
    const process = new BenchProcess({ name: 'trace sink', script: join(__dirname, 'trace-sink-server') });
    return new TraceSink(process, await process.ask<string>('url'));
  }

  /** What a process needs to export every trace to it, in the default protocol and batch sizes. */
  get env(): NodeJS.ProcessEnv {
    return {
      OTEL_EXPORTER_OTLP_ENDPOINT: this.#url,
      OTEL_TRACES_SAMPLER: 'parentbased_always_on',
      OTEL_BSP_SCHEDULE_DELAY: String(BATCH_DELAY_MS),
    };
  }

  /** How many spans have arrived since the start. */
  spans(): Promise<number> {
    return this.#process.ask<number>('spans');
  }

  /** Waits until so many spans have arrived since the start, or none comes any more; returns how many are missing. */
  async until(expected: number): Promise<number> {
    let seen = await this.spans();
    for (let quietMs = 0; seen < expected && quietMs < QUIET_MS; quietMs += POLL_MS) {
      await delay(POLL_MS);
      const now = await this.spans();
      if (now > seen) quietMs = 0;
      seen = now;
    }
    return Math.max(0, expected - seen);
  }
}
