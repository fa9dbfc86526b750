import type { Fake, FakeRequest, FakeWebhook } from '@coordinator/extension';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { EffectLedger, type LedgerEntry, type LedgerFilter } from './effect-ledger.ts';
import { FakeRoutes, type FoundRoute } from './fake-routes.ts';
import { FaultSwitches, type ActiveFault, type Fault, type FaultMode } from './fault.ts';
import { answerProblem, Problem } from './problem.ts';
import { parseBody, readRawBody } from './request-body.ts';
import { SandboxControls } from './sandbox-controls.ts';
import { sendWebhook, type SendOptions, type WebhookAnswer } from './send-webhook.ts';
import { TraceSink } from './trace-sink.ts';
import { Watch } from './watch.ts';

/** Settings of {@link startFakeServer}. */
export interface FakeServerOptions {
  /** The fakes to play, by the name of their extension; each is mounted at `/<extension name>`. */
  readonly fakes: Readonly<Record<string, Fake>>;
  /** Default: a free one. */
  readonly port?: number;
  /** Address to listen on. Default 127.0.0.1; give `0.0.0.0` where other hosts are to reach it. */
  readonly host?: string;
  /** Where webhooks are sent to. Default: none, and sending fails. */
  readonly apiUrl?: string;
}

/** A call that a fake has received. */
export interface RecordedRequest {
  readonly extension: string;
  /** Name of the fake's route. */
  readonly route: string;
  readonly method: string;
  /** Path below the base URL of the fake, without the query. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
  /** Parsed JSON or form; undefined for another content type. */
  readonly body: unknown;
  /** The fault that it met. */
  readonly fault: FaultMode | undefined;
}

/** How a webhook is sent. */
export interface WebhookOptions extends SendOptions {
  /** Signs it with a wrong secret. Default false. */
  readonly badSignature?: boolean;
}

/** Calls that are remembered; the ledger, not this list, is what books are checked against. */
const MOST_REQUESTS = 10_000;
const DEFAULT_SLOW_MS = 1_000;
// Longer than clients keep idle connections: they close first, and never write into a closing one.
const KEEP_ALIVE_MS = 65_000;

/** A real HTTP server that plays the fakes of one or several extensions; see {@link startFakeServer}. */
export class FakeServer {
  /** The traces that were exported to `<url>/__otlp`. */
  readonly traces = new TraceSink();
  readonly #options: FakeServerOptions;
  readonly #routes: FakeRoutes;
  readonly #faults: FaultSwitches;
  readonly #watch = new Watch();
  readonly #ledger = new EffectLedger(() => this.#watch.changed());
  readonly #server: Server;
  readonly #controls: SandboxControls;
  readonly #closing = new AbortController();
  #requests: RecordedRequest[] = [];

  /** Use {@link startFakeServer}. */
  constructor(options: FakeServerOptions) {
    this.#options = options;
    this.#routes = new FakeRoutes(options.fakes);
    this.#faults = new FaultSwitches(this.#routes.names());
    this.#controls = new SandboxControls(this);
    this.#server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        if (!response.headersSent) answerProblem(response, error);
      });
    });
  }

  /** Starts to listen. @throws Error EADDRINUSE and the like */
  async listen(): Promise<void> {
    const { port = 0, host = '127.0.0.1' } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => resolve(this.#server.off('error', reject) && undefined));
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** For example `http://127.0.0.1:8090`. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The environment variables that point all extensions to this server. */
  environment(): Readonly<Record<string, string>> {
    return environmentOf(this.#options.fakes, this.url);
  }

  /** `POST /stripe/v1/refunds (stripe.refund)` of each route. */
  routes(): string[] {
    return this.#routes.list();
  }

  /** The effects that were really done, oldest first. */
  ledger(filter?: LedgerFilter): LedgerEntry[] {
    return this.#ledger.entries(filter);
  }

  /** The last 10 000 calls, oldest first. @param route name of a fake's route. Default: all routes */
  requests(route?: string): RecordedRequest[] {
    return this.#requests.filter((request) => route === undefined || request.route === route);
  }

  /** Switches a fault on. @throws Problem for an unknown route or mode; its message lists the known ones */
  fail(fault: Fault): void {
    this.#faults.add(fault);
  }

  /** The faults that are on. */
  faults(): readonly ActiveFault[] {
    return this.#faults.active();
  }

  /** Switches all faults off; effects and requests stay. */
  heal(): void {
    this.#faults.clear();
  }

  /** Forgets effects, requests, faults and traces. */
  reset(): void {
    this.heal();
    this.#ledger.clear();
    this.#requests = [];
    this.traces.clear();
  }

  /** Resolves with the `n`th effect of this name (default the first). @throws Error after `deadlineMs`, default 5 000 */
  waitForEffect(effect: string, n = 1, deadlineMs?: number): Promise<LedgerEntry> {
    const complain = () => {
      const done = this.ledger().map((entry) => entry.effect);
      return `Waited for effect ${n} of "${effect}" in vain; the effects are: ${done.join(', ') || 'none'}`;
    };
    return this.#watch.until(() => this.ledger({ effect })[n - 1], complain, deadlineMs);
  }

  /** Resolves with the `n`th call of this route (default the first). @throws Error after `deadlineMs`, default 5 000 */
  waitForRequest(route: string, n = 1, deadlineMs?: number): Promise<RecordedRequest> {
    const complain = () => {
      const seen = this.requests().map((request) => request.route);
      return `Waited for call ${n} of "${route}" in vain; the calls are: ${seen.join(', ') || 'none'}`;
    };
    return this.#watch.until(() => this.requests(route)[n - 1], complain, deadlineMs);
  }

  /** Sends a webhook of a fake to the API. @throws Problem when the fake makes none of `input`, or the API is not reached */
  async send(extension: string, input: unknown, options: WebhookOptions = {}): Promise<WebhookAnswer[]> {
    const { fakes, apiUrl } = this.#options;
    const fake = Object.hasOwn(fakes, extension) ? fakes[extension] : undefined;
    if (!fake?.webhook) {
      const senders = Object.keys(fakes).filter((name) => fakes[name]?.webhook);
      throw new Problem(404, `"${extension}" sends no webhooks; these do: ${senders.join(', ') || 'none'}`);
    }
    if (apiUrl === undefined) throw new Problem(409, 'This server was started without the URL of the API');
    const webhook = signedBy(fake.webhook, input, options.badSignature ?? false);
    return sendWebhook(webhook, apiUrl, options, this.#closing.signal);
  }

  /** Stops listening and breaks all connections, those that wait for an answer included. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#watch.close();
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(`http://sandbox${request.url}`);
    const rawBody = await readRawBody(request);
    const method = request.method ?? 'GET';
    if (await this.#controls.answer({ method, url, rawBody }, response)) return;

    const found = this.#routes.find(method, url.pathname);
    const { headers } = request;
    const body = parseBody(rawBody, headers['content-type']);
    const { path, params } = found;
    const fault = this.#faults.take(found.route.name);
    this.#remember(found, { method, path, query: Object.fromEntries(url.searchParams), headers, body }, fault?.mode);
    if (fault && (await this.#misbehave(fault, response))) return;

    const call: FakeRequest = { method, path, params, query: url.searchParams, headers, rawBody, body };
    const answer = found.route.handle(call, this.#ledger);
    if (fault?.mode === 'dropResponseAfterEffect') return void response.destroy();
    const type = answer.body === undefined ? {} : { 'content-type': 'application/json' };
    response.writeHead(answer.status, { ...type, ...answer.headers });
    response.end(answer.body === undefined ? undefined : JSON.stringify(answer.body));
  }

  #remember(
    { extension, route }: FoundRoute,
    call: Omit<RecordedRequest, 'extension' | 'route' | 'fault'>,
    fault: FaultMode | undefined,
  ): void {
    this.#requests.push({ extension, route: route.name, ...call, fault });
    if (this.#requests.length > MOST_REQUESTS) this.#requests.shift();
    this.#watch.changed();
  }

  /** True when the fault has settled the call before any effect. */
  async #misbehave({ mode, delayMs, retryAfter }: ActiveFault, response: ServerResponse): Promise<boolean> {
    switch (mode) {
      case 'timeout':
        return true;
      case 'reset':
        response.socket?.resetAndDestroy();
        return true;
      case 'slow':
        return !(await this.#openAfter(delayMs ?? DEFAULT_SLOW_MS, response));
      case 'dropResponseAfterEffect':
        return false;
      default: {
        const status = Number(mode);
        if (retryAfter !== undefined) response.setHeader('retry-after', String(retryAfter));
        answerProblem(response, new Problem(status, `The fault switch of this route is set to ${mode}`));
        return true;
      }
    }
  }

  /** Whether the caller is still there after the delay: one that has gone gets no effect. */
  #openAfter(delayMs: number, response: ServerResponse): Promise<boolean> {
    return new Promise((resolve) => {
      const gone = () => {
        clearTimeout(timer);
        resolve(false);
      };
      const timer = setTimeout(() => {
        response.off('close', gone);
        resolve(true);
      }, delayMs);
      response.once('close', gone);
    });
  }
}

/** What a fake cannot make a webhook of is the sender's mistake. */
function signedBy(webhook: NonNullable<Fake['webhook']>, input: unknown, badSignature: boolean): FakeWebhook {
  try {
    return webhook(input, { badSignature });
  } catch (error) {
    throw new Problem(
      400,
      `The fake makes no webhook of this: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** The environment variables that point extensions to fakes on a server with this URL. */
export function environmentOf(fakes: Readonly<Record<string, Fake>>, url: string): Readonly<Record<string, string>> {
  return Object.assign({}, ...Object.entries(fakes).map(([name, fake]) => fake.environment(`${url}/${name}`)));
}

/**
 * Starts a real HTTP server that plays fakes, with a ledger of effects, fault switches and a sink for traces; over HTTP
 * they are at `/__ledger`, `/__fault`, `/__reset`, `/__send/<extension>`, `/__otlp` and `/__traces`.
 *
 * @throws Error EADDRINUSE and the like
 */
export async function startFakeServer(options: FakeServerOptions): Promise<FakeServer> {
  const server = new FakeServer(options);
  await server.listen();
  return server;
}
