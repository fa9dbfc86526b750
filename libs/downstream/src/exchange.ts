import type { Dispatcher } from 'undici';
import type { AnswerHeaders } from './downstream-answer.ts';
import { abortFault, connectionFault } from './connection-fault.ts';
import type { AnswerHead, Ending, Fault } from './ending.ts';

/** Limits of one exchange. */
export interface ExchangeLimits {
  readonly headersTimeoutMs: number;
  readonly maxResponseBytes: number;
}

/**
 * One request and its answer on undici's dispatch(). Not on request(), which does not tell whether a request was sent,
 * and which an abort ends only when its turn for a connection has come.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  /** How it ended; known at the deadline at the latest. Never rejects. */
  readonly ending: Promise<Ending>;
  /** When undici is done with it, which can be later for a request that waits for a connection. Never rejects. */
  readonly released: Promise<void>;

  readonly #limits: ExchangeLimits;
  readonly #signal: AbortSignal;
  readonly #onAbort = () => this.#fail(abortFault(this.#signal.reason, this.#controller !== undefined));
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #controller: Dispatcher.DispatchController | undefined;
  #head: AnswerHead | undefined;
  #headersTimer: NodeJS.Timeout | undefined;
  #settled = false;
  #resolveEnding!: (ending: Ending) => void;
  #resolveReleased!: () => void;

  constructor(limits: ExchangeLimits, signal: AbortSignal) {
    this.#limits = limits;
    this.#signal = signal;
    this.ending = new Promise((resolve) => (this.#resolveEnding = resolve));
    this.released = new Promise((resolve) => (this.#resolveReleased = resolve));
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** A connection is about to be written to. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Thrown and not aborted: undici drops the request and keeps the connection. Nothing is ever sent a second time.
    if (this.#settled || this.#controller) throw new Error('The request is not to be sent');
    this.#controller = controller;
    this.#headersTimer = setTimeout(() => {
      this.#fail({ kind: 'lost', type: 'headers-timeout' });
    }, this.#limits.headersTimeoutMs);
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ) {
    if (status < 200) return;
    clearTimeout(this.#headersTimer);
    this.#head = { status, headers: joined(headers) };
    const encoding = this.#head.headers['content-encoding'] ?? 'identity';
    if (encoding.toLowerCase() !== 'identity') this.#fail({ kind: 'unreadable', type: 'content-encoding' });
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#limits.maxResponseBytes) this.#fail({ kind: 'unreadable', type: 'body-too-large' });
    else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    if (this.#head) this.#settle({ head: this.#head, body: Buffer.concat(this.#chunks) });
    this.#resolveReleased();
  }

  onResponseError(_: Dispatcher.DispatchController | undefined, error: Error): void {
    this.#settle({ head: this.#head, fault: connectionFault(error, this.#controller !== undefined) });
    this.#resolveReleased();
  }

  #fail(fault: Fault): void {
    this.#settle({ head: this.#head, fault });
    this.#controller?.abort(new Error(fault.type));
  }

  #settle(ending: Ending): void {
    this.#settled = true;
    clearTimeout(this.#headersTimer);
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#resolveEnding(ending);
  }
}

function joined(headers: Record<string, string | string[] | undefined>): AnswerHeaders {
  const entries = Object.entries(headers).map(([name, value]) => [name, value && [value].flat().join(', ')]);
  return Object.fromEntries(entries) as AnswerHeaders;
}
