import { Pool } from 'undici';
import { checkedConnector } from './checked-connector.ts';
import { ConnectionSlots } from './connection-slots.ts';
import type { Ending } from './ending.ts';
import { Exchange, type ExchangeLimits } from './exchange.ts';
import { processDownstreams } from './share-downstreams.ts';

/** A request as it is written. */
export interface WireRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

/** How connections are made and used. */
export interface ConnectionLimits extends ExchangeLimits {
  readonly connectTimeoutMs: number;
  /** Default: that of the process. */
  readonly maxConnections: number | undefined;
  /** The limit of all workers together, which no process need go beyond. */
  readonly maxConcurrent?: number | undefined;
}

/** A free connection, held for one request. */
export interface HeldConnection {
  /** Sends the request. Never throws, and ends when the signal is aborted. */
  send(request: WireRequest, signal: AbortSignal): Promise<Ending>;
  /** Gives it back, when undici is done with what was sent. */
  giveBack(): void;
}

/** Longest headers of an answer, 16 KiB: the default of Node, whatever --max-http-header-size says. */
const MAX_HEADER_BYTES = 16_384;

interface Host {
  readonly pool: Pool;
  readonly slots: ConnectionSlots;
}

/** The keep-alive connections of one client: a bounded number to each host. Redirects are not followed. */
export class Connections {
  /** Why there is no connection any more. */
  static readonly closed = new Error('The connections were closed');

  readonly #limits: ConnectionLimits;
  readonly #hosts = new Map<string, Host>();
  #closed: Promise<unknown> | undefined;

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /** Waits a moment for a free connection to a host; undefined when there is none. Throws `closed`, or the signal's reason. */
  async hold(origin: string, signal: AbortSignal): Promise<HeldConnection | undefined> {
    const { pool, slots } = this.#host(origin);
    const giveBack = await slots.take(signal);
    if (!giveBack) return undefined;
    if (this.#closed) {
      giveBack();
      throw Connections.closed;
    }
    let released: Promise<void> | undefined;
    return {
      giveBack: () => void (released ? released.then(giveBack) : giveBack()),
      send: async (request, signal) => {
        if (!areSendable(request.headers))
          return { head: undefined, fault: { kind: 'refused', type: 'header-invalid' } };
        const exchange = new Exchange(this.#limits, signal);
        released = exchange.released;
        pool.dispatch({ ...request, method: request.method as 'GET' }, exchange);
        return exchange.ending;
      },
    };
  }

  /** Waits for the calls that have a connection, then closes all. Calls that wait for one are not sent. */
  async close(): Promise<void> {
    this.#closed ??= Promise.all([...this.#hosts.values()].map(({ pool }) => pool.close()));
    await this.#closed;
  }

  #host(origin: string): Host {
    let host = this.#hosts.get(origin);
    if (!host) {
      const { connectTimeoutMs, maxConcurrent = Infinity } = this.#limits;
      const maxConnections = Math.min(
        this.#limits.maxConnections ?? processDownstreams().maxConnections,
        maxConcurrent,
      );
      const pool = new Pool(origin, {
        connections: maxConnections,
        pipelining: 1,
        connect: checkedConnector(connectTimeoutMs),
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

/** Source: RFC 9110, sections 5.1 and 5.5. */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** What undici would refuse costs its Pool (7.30) a connection for good: it is not given to it. */
function areSendable(headers: Readonly<Record<string, string>>): boolean {
  return Object.entries(headers).every(([name, value]) => NAME.test(name) && VALUE.test(value));
}
