import type { ServerResponse } from 'node:http';
import type { FakeServer } from './fake-server.ts';
import type { Fault } from './fault.ts';
import type { OtlpTraces } from './otlp.ts';
import { answerJson, Problem } from './problem.ts';
import { parseJson } from './request-body.ts';

/** A request to a control of the sandbox. */
export interface ControlRequest {
  readonly method: string;
  readonly url: URL;
  readonly rawBody: Buffer;
}

interface Control {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: RegExp;
  /** What is shown at `/`. */
  readonly summary: string;
  /** Makes the answer from the request and the text that the path's group has matched. */
  readonly answer: (request: ControlRequest, name: string) => unknown;
}

/** What a fake server answers besides its fakes: fault switches, ledger, webhooks, traces, probes. */
export class SandboxControls {
  readonly #controls: readonly Control[];

  constructor(server: FakeServer) {
    const list = () => ({ controls: this.#list(), routes: server.routes() });
    this.#controls = [
      { method: 'GET', path: /^\/$/, summary: '/ this list', answer: list },
      { method: 'GET', path: /^\/(?:livez|readyz)$/, summary: '/livez, /readyz', answer: () => ({ status: 'ok' }) },
      ...faultControls(server),
      ...effectControls(server),
      ...traceControls(server),
    ];
  }

  /** Answers a request to a control; false when it is none. @throws Problem */
  async answer(request: ControlRequest, response: ServerResponse): Promise<boolean> {
    const { pathname } = request.url;
    const here = this.#controls.filter(({ path }) => path.test(pathname));
    const control = here.find(({ method }) => method === request.method);
    if (control) {
      const name = control.path.exec(pathname)?.[1] ?? '';
      answerJson(response, 200, await control.answer(request, name));
      return true;
    }
    const methods = here.map(({ method }) => method).join(', ');
    if (methods !== '') throw new Problem(405, `${pathname} takes ${methods}, not ${request.method}`);
    if (!pathname.startsWith('/__')) return false;
    throw new Problem(404, `There is no ${pathname}; the controls are: ${this.#list().join(' | ')}`);
  }

  #list(): string[] {
    return this.#controls.map(({ method, summary }) => `${method} ${summary}`);
  }
}

function faultControls(server: FakeServer): Control[] {
  const path = /^\/__fault$/;
  const shown = () => ({ faults: server.faults() });
  return [
    { method: 'GET', path, summary: '/__fault faults that are on', answer: shown },
    {
      method: 'POST',
      path,
      summary: '/__fault {route, mode, count, forMs, delayMs, retryAfter}',
      answer: ({ rawBody }) => {
        server.fail(objectOf(rawBody) as unknown as Fault);
        return shown();
      },
    },
    {
      method: 'DELETE',
      path,
      summary: '/__fault all faults off',
      answer: () => {
        server.heal();
        return shown();
      },
    },
  ];
}

function effectControls(server: FakeServer): Control[] {
  return [
    {
      method: 'GET',
      path: /^\/__ledger$/,
      summary: '/__ledger?effect=&subject= effects done, oldest first',
      answer: ({ url: { searchParams } }) => {
        const wanted = (name: string) => searchParams.get(name) || undefined;
        return { effects: server.ledger({ effect: wanted('effect'), subject: wanted('subject') }) };
      },
    },
    {
      method: 'POST',
      path: /^\/__reset$/,
      summary: '/__reset forget effects, calls, faults and traces',
      answer: () => {
        server.reset();
        return { effects: server.ledger() };
      },
    },
    {
      method: 'POST',
      path: /^\/__send\/([^/]+)$/,
      summary: '/__send/<extension> {…, duplicate, concurrent, badSignature} a signed webhook to the API',
      answer: async ({ rawBody }, extension) => {
        const { duplicate = 1, concurrent = false, badSignature = false, ...input } = objectOf(rawBody);
        if (typeof duplicate !== 'number' || !Number.isInteger(duplicate) || duplicate < 1 || duplicate > 1_000) {
          throw new Problem(400, '"duplicate" is how many copies are sent in all: a whole number from 1 to 1000');
        }
        const how = { duplicate, concurrent: concurrent === true, badSignature: badSignature === true };
        return { answers: await server.send(extension, input, how) };
      },
    },
  ];
}

function traceControls({ traces }: FakeServer): Control[] {
  return [
    {
      method: 'POST',
      path: /^\/__otlp\/v1\/(\w+)$/,
      summary: '/__otlp/v1/traces OTLP/HTTP with JSON',
      answer: ({ rawBody }, signal) => {
        // Metrics and logs are dropped, so that an exporter of all signals has nothing to complain of.
        if (signal === 'traces') traces.add(tracesOf(rawBody));
        return {};
      },
    },
    {
      method: 'GET',
      path: /^\/__traces$/,
      summary: '/__traces?limit= newest first',
      answer: ({ url }) => ({ traces: traces.list(limitOf(url)) }),
    },
    {
      method: 'GET',
      path: /^\/__traces\/(\w+)$/,
      summary: '/__traces/<traceId> its spans',
      answer: (_request, traceId) => {
        const trace = traces.trace(traceId);
        if (!trace) throw new Problem(404, `No span of the trace ${traceId} has arrived`);
        return trace;
      },
    },
  ];
}

function limitOf({ searchParams }: URL): number {
  const limit = Number(searchParams.get('limit') || 50);
  if (!Number.isInteger(limit) || limit < 1) throw new Problem(400, '"limit" must be a whole number of at least 1');
  return limit;
}

function objectOf(rawBody: Buffer): Record<string, unknown> {
  const value = rawBody.length === 0 ? {} : parseJson(rawBody);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Problem(400, 'The body must be a JSON object');
  }
  return value as Record<string, unknown>;
}

function tracesOf(rawBody: Buffer): OtlpTraces {
  // The SDK's default is protobuf, where an export begins with the tag of its first field.
  if (rawBody[0] === 0x0a) {
    throw new Problem(415, 'This sink takes JSON: set OTEL_EXPORTER_OTLP_PROTOCOL=http/json in the exporting process');
  }
  return objectOf(rawBody) as OtlpTraces;
}
