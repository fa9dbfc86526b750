import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { startFakeServer, type FakeServer } from './fake-server.ts';
import type { OtlpTraces } from './otlp.ts';
import { spanTrees } from './recorded-span.ts';
import { TraceSink } from './trace-sink.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const START_NS = 1_760_000_000_000_000_000n;

/** One export of one process, as @opentelemetry/exporter-trace-otlp-http writes it. */
function exported(
  traceId: string,
  name = 'POST /v1/orders',
  spanId = 'b7ad6b7169203331',
  parentSpanId = '',
): OtlpTraces {
  return {
    resourceSpans: [
      {
        resource: {
          attributes: [
            { key: 'service.name', value: { stringValue: 'coordinator-api' } },
            { key: 'service.version', value: { stringValue: '1.2.3' } },
          ],
        },
        scopeSpans: [
          {
            spans: [
              {
                traceId,
                spanId,
                parentSpanId,
                name,
                kind: 2,
                startTimeUnixNano: String(START_NS),
                endTimeUnixNano: String(START_NS + 1_500_000n),
                attributes: [
                  { key: 'http.route', value: { stringValue: '/v1/orders' } },
                  { key: 'http.response.status_code', value: { intValue: '202' } },
                  { key: 'list', value: { arrayValue: { values: [{ boolValue: true }, { doubleValue: 0.5 }] } } },
                ],
                status: { code: 2 },
                links: [{ traceId: 'f'.repeat(32), spanId: '1'.repeat(16) }],
              },
            ],
          },
        ],
      },
    ],
  };
}

describe('TraceSink', () => {
  test('shows a span with plain values in milliseconds', () => {
    const sink = new TraceSink();
    sink.add(exported(TRACE));
    expect(sink.trace(TRACE)?.spans).toEqual([
      {
        traceId: TRACE,
        spanId: 'b7ad6b7169203331',
        parentSpanId: undefined,
        name: 'POST /v1/orders',
        kind: 'SERVER',
        service: 'coordinator-api',
        release: '1.2.3',
        startMs: 1_760_000_000_000,
        durationMs: 1.5,
        status: 'ERROR',
        attributes: { 'http.route': '/v1/orders', 'http.response.status_code': 202, list: [true, 0.5] },
        links: [{ traceId: 'f'.repeat(32), spanId: '1'.repeat(16) }],
      },
    ]);
  });

  test('joins the spans of several exports and keeps a repeated span once', () => {
    const sink = new TraceSink();
    sink.add(exported(TRACE, 'send orders', 'a'.repeat(16), 'b7ad6b7169203331'));
    sink.add(exported(TRACE));
    sink.add(exported(TRACE));
    expect(sink.trace(TRACE)?.spans).toHaveLength(2);
    expect(sink.list()).toEqual([
      expect.objectContaining({
        traceId: TRACE,
        rootName: 'POST /v1/orders',
        durationMs: 1.5,
        spanCount: 2,
        failed: true,
      }),
    ]);
    const [root] = spanTrees(sink.trace(TRACE)?.spans ?? []);
    expect([root?.name, root?.children.map(({ name }) => name)]).toEqual(['POST /v1/orders', ['send orders']]);
  });

  test('keeps the last traces only, newest first', () => {
    const sink = new TraceSink(2);
    for (const name of ['1', '2', '3']) sink.add(exported(name.repeat(32), name));
    expect(sink.list().map(({ rootName }) => rootName)).toEqual(['3', '2']);
    expect(sink.list(1)).toHaveLength(1);
    expect(sink.trace('1'.repeat(32))).toBeUndefined();
  });
});

describe('the trace sink of a fake server', () => {
  let server: FakeServer;
  beforeEach(async () => {
    server = await startFakeServer({ fakes: {} });
  });
  afterEach(() => server.close());
  const post = (path: string, body: string | Buffer, headers = {}) =>
    fetch(server.url + path, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });

  test('takes an export, plain or gzip, and shows its traces', async () => {
    expect((await post('/__otlp/v1/traces', JSON.stringify(exported(TRACE)))).status).toBe(200);
    const packed = gzipSync(JSON.stringify(exported('1'.repeat(32), 'GET')));
    expect((await post('/__otlp/v1/traces', packed, { 'content-encoding': 'gzip' })).status).toBe(200);
    const list = await (await fetch(`${server.url}/__traces?limit=5`)).json();
    expect(list).toMatchObject({ traces: [{ rootName: 'GET' }, { rootName: 'POST /v1/orders' }] });
    const trace = await (await fetch(`${server.url}/__traces/${TRACE}`)).json();
    expect(trace).toMatchObject({ traceId: TRACE, spans: [{ name: 'POST /v1/orders', kind: 'SERVER' }] });
  });

  test('takes other signals without keeping them', async () => {
    expect((await post('/__otlp/v1/metrics', '{"resourceMetrics":[]}')).status).toBe(200);
  });

  test('says what is wrong with protobuf, with broken gzip, with an unknown trace and with a bad limit', async () => {
    const protobuf = await post('/__otlp/v1/traces', Buffer.from([0x0a, 0x01]));
    expect([protobuf.status, await protobuf.text()]).toEqual([415, expect.stringContaining('http/json')]);
    expect((await post('/__otlp/v1/traces', 'x', { 'content-encoding': 'gzip' })).status).toBe(400);
    expect((await fetch(`${server.url}/__traces/${TRACE}`)).status).toBe(404);
    expect((await fetch(`${server.url}/__traces?limit=x`)).status).toBe(400);
  });
});
