import { injectTraceContext, inSpan } from '@coordinator/tracing';
import { callOf, tokenCallOf, type Call } from './call.ts';
import { clientSpan, endClientSpan } from './client-span.ts';
import { abortFault } from './connection-fault.ts';
import { outcomeOfCall, outcomeOfToken, pauseOf } from './call-outcome.ts';
import { Connections, type HeldConnection } from './connections.ts';
import { Deadline } from './deadline.ts';
import type { DownstreamAnswer } from './downstream-answer.ts';
import { allOf, type AuthHeaders, type DownstreamAuth, type TokenRequest } from './downstream-auth.ts';
import { currentDestinations, refuseUndeclared, type Destinations } from './destinations.ts';
import { DownstreamError } from './downstream-error.ts';
import { readOptions, type DownstreamOptions, type DownstreamSettings } from './downstream-options.ts';
import type { DownstreamRequest } from './downstream-request.ts';
import { Protection, type Permit } from './protection.ts';
import { faultError, verdict } from './verdict.ts';

interface Admission {
  readonly connection: HeldConnection;
  readonly permit: Permit;
}

/** Calls one service. Keep one client per service and process: its connections, token and limits are shared by all calls. */
export class DownstreamClient {
  readonly #settings: DownstreamSettings;
  readonly #auth: DownstreamAuth;
  readonly #connections: Connections;
  readonly #protection: Protection;
  readonly #destinations: Destinations | undefined = currentDestinations();

  /**
   * @throws RangeError when the base URL or a limit makes no sense; DestinationError when the client is that of an
   *   extension which has not declared this service
   */
  constructor(options: DownstreamOptions) {
    this.#settings = readOptions(options);
    refuseUndeclared(this.#settings.baseUrl, this.#destinations);
    this.#auth = allOf(this.#settings.auth);
    this.#connections = new Connections(this.#settings);
    this.#protection = new Protection(this.#settings);
  }

  /** The name from the options. */
  get name(): string {
    return this.#settings.name;
  }

  /**
   * Makes a call. It ends within `totalTimeoutMs`, whatever the service does. Redirects are not followed.
   *
   * @throws DownstreamError
   * - `permanent`: 3xx, 4xx; and where the request is neither repeatable nor has a key, no whole answer, or one that cannot be
   *   used (COORD_DOWNSTREAM_UNKNOWN_OUTCOME, COORD_DOWNSTREAM_ANSWER).
   * - `transient`: 401, 408, 425, 5xx, a request that was not sent, one that is repeatable and has no answer (all
   *   COORD_DOWNSTREAM_UNAVAILABLE), an answer that is too large or not what `answer` says (COORD_DOWNSTREAM_ANSWER).
   * - `rate-limited`: 429, and 503 with a readable Retry-After that is not 0; its `retryAfterMs` where the service named
   *   a time.
   * - `unknown-outcome`: a request with a key that may have been sent and has no whole answer.
   * @throws TaskError `permanent` when the request itself makes no sense; no call was made then
   * @throws Snooze when no call may be made now, because the breaker is open, the downstream asked for a pause or a limit is
   *   reached (COORD_DOWNSTREAM_OPEN, _RATE_LIMITED, _BUSY): let it through, and the job waits without spending an attempt
   */
  async request<T = unknown>(request: DownstreamRequest<T>): Promise<DownstreamAnswer<T>> {
    const call = callOf(request, this.#settings);
    const deadline = new Deadline(this.#settings.totalTimeoutMs, request.signal);
    try {
      for (let resend = 0; ; resend++) {
        const credentials = await this.#credentials(call, deadline);
        const { result, permit } = await this.#pass(call, credentials, deadline, resend);
        if (!(result instanceof DownstreamError)) {
          permit('success');
          return result;
        }
        // The one repetition in this layer: a 401 took no effect, and a token can end before its time.
        const again = resend === 0 && result.status === 401 && this.#auth.rejected?.(credentials);
        permit(again ? 'neutral' : outcomeOfCall(result, deadline), pauseOf(result));
        if (!again) throw result;
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
   * One try of a call. Every request to the service and every request for a token passes here and nowhere else: when a
   * connection is free, and nothing speaks against a call now. Who called says by the permit what it means.
   */
  async #pass<T>(
    call: Call<T>,
    credentials: AuthHeaders,
    deadline: Deadline,
    resend?: number,
  ): Promise<{ result: DownstreamAnswer<T> | DownstreamError; permit: Permit }> {
    const { connection, permit } = await this.#admit(call, deadline, resend === undefined);
    const result = await inSpan(...clientSpan(call, this.#settings.name, resend ?? 0), async (span) => {
      const { method, url, body } = call;
      // Taken here, where this call's own span is active: when a connection is free, another call's may be.
      const headers = { ...call.headers, ...credentials, ...injectTraceContext(), 'accept-encoding': 'identity' };
      const ending = await connection.send({ method, path: url.path, headers, body }, deadline.signal);
      const result = verdict(call, ending, this.#settings);
      endClientSpan(span, ending, result instanceof DownstreamError ? result : undefined);
      return result;
    }).catch((error: unknown) => {
      permit('neutral');
      throw error;
    });
    return { result, permit };
  }

  /** Waits for a connection and the right to use it. @throws DownstreamError when the deadline is first; Snooze */
  async #admit(call: Call<unknown>, deadline: Deadline, isToken: boolean): Promise<Admission> {
    const { signal } = deadline;
    let connection: HeldConnection | undefined;
    try {
      connection = await this.#connections.hold(call.url.origin, signal);
      if (!connection) throw await this.#protection.full();
      const held = connection;
      const permit = await this.#protection.acquire(signal, isToken);
      // In this order: who waits for the connection asks next, and must find the permit given back.
      const end: Permit = (outcome, pauseMs) => {
        permit(outcome, pauseMs);
        held.giveBack();
      };
      return { connection, permit: end };
    } catch (error) {
      connection?.giveBack();
      if (error === Connections.closed) throw faultError(call, { kind: 'unsent', type: 'closed' }, this.#settings);
      if (signal.aborted) throw faultError(call, abortFault(signal.reason, false), this.#settings);
      throw error;
    }
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
    refuseUndeclared(request.url, this.#destinations);
    const deadline = new Deadline(this.#settings.totalTimeoutMs);
    try {
      const { result, permit } = await this.#pass(tokenCallOf(request), {}, deadline);
      if (!(result instanceof DownstreamError)) {
        // It says nothing about the service that the token is for.
        permit('neutral');
        return result.body;
      }
      permit(outcomeOfToken(result, deadline), pauseOf(result));
      throw result.ofToken();
    } finally {
      deadline.end();
    }
  }
}
