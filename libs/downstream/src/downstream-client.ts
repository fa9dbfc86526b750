import { injectTraceContext, inSpan } from '@coordinator/tracing';
import { callOf, tokenCallOf, type Call } from './call.ts';
import { clientSpan, endClientSpan } from './client-span.ts';
import { abortFault } from './connection-fault.ts';
import { Connections } from './connections.ts';
import { Deadline } from './deadline.ts';
import type { DownstreamAnswer } from './downstream-answer.ts';
import { allOf, type AuthHeaders, type DownstreamAuth, type TokenRequest } from './downstream-auth.ts';
import { DownstreamError } from './downstream-error.ts';
import { readOptions, type DownstreamOptions, type DownstreamSettings } from './downstream-options.ts';
import type { DownstreamRequest } from './downstream-request.ts';
import { faultError, verdict } from './verdict.ts';

/** Calls one service. Keep one client per service and process: its connections, token and limits are shared by all calls. */
export class DownstreamClient {
  readonly #settings: DownstreamSettings;
  readonly #auth: DownstreamAuth;
  readonly #connections: Connections;

  /** @throws RangeError when the base URL or a limit makes no sense */
  constructor(options: DownstreamOptions) {
    this.#settings = readOptions(options);
    this.#auth = allOf(this.#settings.auth);
    this.#connections = new Connections(this.#settings);
  }

  /** The name from the options. */
  get name(): string {
    return this.#settings.name;
  }

  /**
   * Makes a call. It ends within `totalTimeoutMs`, whatever the service does. Redirects are not followed.
   *
   * @throws DownstreamError
   * - `permanent`: 3xx, 4xx, or a certificate that is not valid.
   * - `transient`: 408, 425, 5xx, a request that was not sent, a safe request without an answer (all
   *   COORD_DOWNSTREAM_UNAVAILABLE), an answer that is too large or not what `answer` says (COORD_DOWNSTREAM_ANSWER).
   * - `rate-limited`: 429, and 503 with a readable Retry-After; its `retryAfterMs` where the service named a time.
   * - `unknown-outcome`: a request other than GET and HEAD that may have been sent and has no whole answer.
   * @throws TaskError `permanent` when the request itself makes no sense; no call was made then
   */
  async request<T = unknown>(request: DownstreamRequest<T>): Promise<DownstreamAnswer<T>> {
    const call = callOf(request, this.#settings);
    const deadline = new Deadline(this.#settings.totalTimeoutMs, request.signal);
    try {
      const credentials = await this.#credentials(call, deadline);
      try {
        return await this.#pass(call, credentials, deadline);
      } catch (error) {
        // The one repetition in this layer: a 401 took no effect, and a token can end before its time.
        const refused = error instanceof DownstreamError && error.status === 401;
        if (!refused || !this.#auth.rejected?.(credentials)) throw error;
        return await this.#pass(call, await this.#credentials(call, deadline), deadline, 1);
      }
    } finally {
      deadline.end();
    }
  }

  /** Waits for the calls that have been sent, then closes the connections. Later calls fail as `transient`. */
  async close(): Promise<void> {
    await this.#connections.close();
  }

  /**
   * One try of a call. Every request to the service and every request for a token passes here and nowhere else, and what
   * comes out is an answer or a classified error: the place for what decides whether a call may be made now.
   */
  async #pass<T>(
    call: Call<T>,
    credentials: AuthHeaders,
    deadline: Deadline,
    resend = 0,
  ): Promise<DownstreamAnswer<T>> {
    const { name } = this.#settings;
    const result = await inSpan(...clientSpan(call, name, resend), async (span) => {
      const { method, url, body } = call;
      // Taken here, where this call's own span is active: when a connection is free, another call's may be.
      const headers = { ...call.headers, ...credentials, ...injectTraceContext(), 'accept-encoding': 'identity' };
      const ending = await this.#connections.send({ method, ...url, headers, body }, deadline.signal);
      const result = verdict(call, ending, this.#settings);
      endClientSpan(span, ending, result instanceof DownstreamError ? result : undefined);
      return result;
    });
    if (result instanceof DownstreamError) throw result;
    return result;
  }

  async #credentials(call: Call<unknown>, deadline: Deadline): Promise<AuthHeaders> {
    const headers = Promise.resolve(this.#auth.headers((request) => this.#token(request)));
    try {
      return await deadline.waitFor(headers);
    } catch (error) {
      if (!deadline.signal.aborted) throw error;
      throw faultError(call, abortFault(deadline.signal.reason, false), this.#settings);
    }
  }

  /** Has a deadline of its own: calls wait for one token together, and the end of one must not take it from the others. */
  async #token<T>(request: TokenRequest<T>): Promise<T> {
    const deadline = new Deadline(this.#settings.totalTimeoutMs);
    try {
      const { body } = await this.#pass(tokenCallOf(request), {}, deadline);
      return body;
    } catch (error) {
      throw error instanceof DownstreamError ? error.ofToken() : error;
    } finally {
      deadline.end();
    }
  }
}
