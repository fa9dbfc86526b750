import { Pool } from 'undici';
import { abortFault } from './connection-fault.ts';
import { ConnectionSlots } from './connection-slots.ts';
import type { Ending } from './ending.ts';
import { Exchange, type ExchangeLimits } from './exchange.ts';

/** A request as it is written. */
export interface WireRequest {
  readonly method: string;
  readonly origin: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

/** How connections are made and used. */
export interface ConnectionLimits extends ExchangeLimits {
  readonly connectTimeoutMs: number;
  readonly maxConnections: number;
}

/** Longest headers of an answer, 16 KiB: the default of Node, whatever --max-http-header-size says. */
const MAX_HEADER_BYTES = 16_384;

interface Host {
  readonly pool: Pool;
  readonly slots: ConnectionSlots;
}

/** The keep-alive connections of one client: a bounded number to each host. Redirects are not followed. */
export class Connections {
  readonly #limits: ConnectionLimits;
  readonly #hosts = new Map<string, Host>();
  #closed: Promise<unknown> | undefined;

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /** Sends a request as soon as a connection is free. Never throws, and ends when the signal is aborted. */
  async send({ origin, ...request }: WireRequest, signal: AbortSignal): Promise<Ending> {
    if (this.#closed) return { head: undefined, fault: { kind: 'unsent', type: 'closed' } };
    const { pool, slots } = this.#host(origin);
    let giveBack: () => void;
    try {
      giveBack = await slots.take(signal);
    } catch (reason) {
      return { head: undefined, fault: abortFault(reason, false) };
    }
    const exchange = new Exchange(this.#limits, signal);
    void exchange.released.then(giveBack);
    pool.dispatch({ ...request, method: request.method as 'GET' }, exchange);
    return exchange.ending;
  }

  /** Waits for the calls that have a connection, then closes all. Calls that wait for one are not sent. */
  async close(): Promise<void> {
    this.#closed ??= Promise.all([...this.#hosts.values()].map(({ pool }) => pool.close()));
    await this.#closed;
  }

  #host(origin: string): Host {
    let host = this.#hosts.get(origin);
    if (!host) {
      const { connectTimeoutMs, maxConnections } = this.#limits;
      const pool = new Pool(origin, {
        connections: maxConnections,
        pipelining: 1,
        connect: { timeout: connectTimeoutMs },
        maxHeaderSize: MAX_HEADER_BYTES,
        // Exchange has its own, from the moment of sending and to the millisecond; undici's run in steps of half a second.
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      host = { pool, slots: new ConnectionSlots(maxConnections) };
      this.#hosts.set(origin, host);
    }
    return host;
  }
}
