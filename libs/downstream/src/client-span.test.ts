import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { context, createTraceState, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
// Read back what was recorded, from the real thing.
// eslint-disable-next-line @typescript-eslint/no-restricted-imports
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { Secret } from '@coordinator/config';
import { DownstreamClient } from './downstream-client.ts';
import type { DownstreamRequest } from './downstream-request.ts';
import { oauth2ClientCredentials } from './oauth2-client-credentials.ts';

const exporter = new InMemorySpanExporter();
const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
const tracer = provider.getTracer('test');

let server: Server;
let port: number;
let client: DownstreamClient;
let seen: Map<string, { traceparent: string; tracestate: string | undefined }>;
let answer: (response: ServerResponse) => void;

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(provider);
});
afterAll(() => {
  trace.disable();
  context.disable();
});

beforeEach(async () => {
  exporter.reset();
  seen = new Map();
  answer = (response) => response.end('{}');
  server = createServer((request, response) => {
    const { traceparent, tracestate } = request.headersDistinct;
    // Two of them would be the doing of an instrumentation.
    expect(traceparent).toHaveLength(1);
    seen.set(request.url ?? '', { traceparent: String(traceparent), tracestate: tracestate?.join() });
    answer(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
  client = new DownstreamClient({
    name: 'shop',
    baseUrl: `http://127.0.0.1:${port}`,
    maxConnections: 2,
    totalTimeoutMs: 5_000,
  });
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await client.close();
});

const recorded = () => exporter.getFinishedSpans().filter(({ kind }) => kind === SpanKind.CLIENT);

async function spanOf(request: Partial<DownstreamRequest> = {}) {
  await client.request({ method: 'POST', path: '/x', ...request }).catch(() => undefined);
  return recorded()[0]!;
}

test('requests that wait for a connection carry the context of their own call', async () => {
  const parents = Array.from({ length: 50 }, (_, n) => tracer.startSpan(`job ${n}`, {}, ROOT_CONTEXT));
  await Promise.all(
    parents.map((parent, n) =>
      context.with(trace.setSpan(ROOT_CONTEXT, parent), () =>
        client.request({ method: 'POST', path: `/${n}`, json: n }),
      ),
    ),
  );

  const spans = new Map(recorded().map((span) => [span.parentSpanContext?.spanId, span.spanContext()]));
  expect(spans.size).toBe(50);
  parents.forEach((parent, n) => {
    const { traceId, spanId } = parent.spanContext();
    const own = spans.get(spanId)!;
    expect(own.traceId).toBe(traceId);
    expect(seen.get(`/${n}`)?.traceparent).toBe(`00-${traceId}-${own.spanId}-01`);
  });
});

test('the state of the trace goes along', async () => {
  const spanContext = {
    traceId: '1'.repeat(32),
    spanId: '2'.repeat(16),
    traceFlags: 1,
    traceState: createTraceState('a=b'),
  };
  await context.with(trace.setSpanContext(ROOT_CONTEXT, spanContext), () => spanOf());
  expect(seen.get('/x')).toEqual({
    traceparent: expect.stringMatching(/^00-1{32}-(?!2{16})[0-9a-f]{16}-01$/),
    tracestate: 'a=b',
  });
});

test("a caller's own traceparent header does not win", async () => {
  const span = await spanOf({ headers: { TraceParent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01` } });
  expect(seen.get('/x')?.traceparent).toContain(span.spanContext().spanId);
});

describe('a span of a call', () => {
  test('says who was called, with the route for a name and nothing of the path or query', async () => {
    const span = await spanOf({ path: '/users/{name}', params: { name: 'ada' }, query: { email: 'ada@example.test' } });
    expect(span.name).toBe('POST /users/{name}');
    expect(span.attributes).toEqual({
      'http.request.method': 'POST',
      'url.scheme': 'http',
      'url.template': '/users/{name}',
      'server.address': '127.0.0.1',
      'server.port': port,
      'coordinator.downstream': 'shop',
      'http.response.status_code': 200,
    });
    expect(span.status).toEqual({ code: SpanStatusCode.UNSET });
  });

  test('is named by its method when the route is not known', async () => {
    const span = await spanOf({ path: '/users/ada' });
    expect([span.name, JSON.stringify(span.attributes).includes('ada')]).toEqual(['POST', false]);
  });

  test.each([
    [302, '302'],
    [404, '404'],
    [503, '503'],
  ])('is an error after %i', async (status, type) => {
    answer = (response) => response.writeHead(status).end('{"message":"ada"}');
    const span = await spanOf();
    expect([span.status, span.attributes['error.type']]).toEqual([{ code: SpanStatusCode.ERROR }, type]);
    expect([span.attributes['http.response.status_code'], span.events]).toEqual([status, []]);
  });

  test('is an error after 4xx even where the caller adopts it', async () => {
    answer = (response) => response.writeHead(406).end();
    const span = await spanOf({ adopt: [406] });
    expect([span.status.code, span.attributes['error.type']]).toEqual([SpanStatusCode.ERROR, '406']);
  });

  test('is an error when the answer is lost or cannot be used', async () => {
    answer = (response) => response.destroy();
    expect((await spanOf()).attributes['error.type']).toBe('UND_ERR_SOCKET');
    exporter.reset();
    answer = (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{');
    const span = await spanOf();
    expect([span.status.code, span.attributes['error.type']]).toEqual([
      SpanStatusCode.ERROR,
      'COORD_DOWNSTREAM_ANSWER',
    ]);
  });
});

test('tokens and the repetition after 401 have spans of their own, in the trace of the call', async () => {
  const tokenUrl = `http://127.0.0.1:${port}/token`;
  const clientSecret = new Secret('s');
  const auth = oauth2ClientCredentials({ tokenUrl, clientId: 'c', clientSecret, style: 'form', scheme: 'Bearer' });
  await client.close();
  client = new DownstreamClient({ name: 'shop', baseUrl: `http://127.0.0.1:${port}`, auth });
  let enrolments = 0;
  answer = (response) => {
    if (response.req.url === '/token') response.end('{"access_token":"t"}');
    else response.writeHead(++enrolments === 1 ? 401 : 200).end();
  };

  const parent = tracer.startSpan('job', {}, ROOT_CONTEXT);
  await context.with(trace.setSpan(ROOT_CONTEXT, parent), () => spanOf({ path: '/enrol', params: {} }));
  const spans = recorded();
  expect(spans.map(({ name, attributes }) => [name, attributes['http.request.resend_count']])).toEqual([
    ['POST /token', undefined],
    ['POST /enrol', undefined],
    ['POST /token', undefined],
    ['POST /enrol', 1],
  ]);
  expect(new Set(spans.map(({ parentSpanContext }) => parentSpanContext?.spanId))).toEqual(
    new Set([parent.spanContext().spanId]),
  );
});
