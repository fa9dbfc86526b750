import type { BenchProcess } from '../bench-process.ts';
import type { BenchRedis } from '../bench-redis.ts';
import { measure, type Measurement } from '../measurement.ts';
import type { Variant } from '../rounds.ts';
import type { TraceSink } from '../trace-sink.ts';
import { TOKEN, type AcceptServer } from './accept-server.ts';
import type { LoadOptions } from './load.ts';

/** What an AcceptVariant is made of. */
export interface AcceptVariantOptions {
  readonly name: string;
  readonly server: AcceptServer;
  readonly loader: BenchProcess;
  readonly redis: BenchRedis;
  /** Requests per window. */
  readonly requests: number;
  /** Set for a server that exports its spans. */
  readonly spansTo: TraceSink | undefined;
}

const CONNECTIONS = 20;
const WARM_UP_REQUESTS = 4_000;
/** A traced request has a SERVER and a PRODUCER span. */
const SPANS_PER_REQUEST = 2;

/** A server that is measured while it accepts orders. */
export class AcceptVariant implements Variant {
  readonly name: string;
  readonly #options: AcceptVariantOptions;
  #lostSpans = 0;

  constructor(options: AcceptVariantOptions) {
    this.name = options.name;
    this.#options = options;
  }

  async warmUp(): Promise<void> {
    await this.#load(WARM_UP_REQUESTS);
    this.#lostSpans = 0;
  }

  async measure(): Promise<Measurement> {
    const { redis, requests, server } = this.#options;
    await redis.empty();
    return measure(server.process, redis, requests, () => this.#load(requests));
  }

  remarks(): string[] {
    return this.#lostSpans > 0 ? [`${this.name}: ${this.#lostSpans} spans were not exported`] : [];
  }

  stop(): Promise<void> {
    return this.#options.server.process.stop();
  }

  async #load(requests: number): Promise<void> {
    const { server, loader, spansTo } = this.#options;
    const expected = spansTo && (await spansTo.spans()) + SPANS_PER_REQUEST * requests;
    const load: LoadOptions = { origin: server.origin, token: TOKEN, requests, connections: CONNECTIONS };
    await loader.ask('load', load);
    // The window ends with the export of its last span.
    if (spansTo && expected) this.#lostSpans += await spansTo.until(expected);
  }
}
