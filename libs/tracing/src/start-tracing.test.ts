import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, jest, test } from '@jest/globals';

jest.setTimeout(20_000);

/**
 * Runs code in a process of its own with `tracing` started: telemetry is global to a process, and what the exporters
 * load they load by import(), which Jest does not do.
 */
async function run<T>(code: string, env: Record<string, string> = {}): Promise<T> {
  const program = `
    require('@swc-node/register');
    const lib = require(${JSON.stringify(join(__dirname, 'index.ts'))});
    (async () => { process.stdout.write(JSON.stringify(await (async () => { ${code} })())); process.exit(0); })();`;
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('OTEL_')));
  const child = spawn(process.execPath, ['--conditions=@coordinator/source', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: join(__dirname, '..'),
    env: { ...inherited, ...env },
  });
  let written = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (written += chunk));
  await once(child, 'close');
  return JSON.parse(written) as T;
}

const START =
  "const tracing = lib.startTracing({ service: 'coordinator-api', release: '1.2.3', onProblem: (m) => problems.push(m) });";
const SPAN_AND_STOP = `
  const problems = [];
  ${START}
  const carrier = await lib.inSpan('send orders', { kind: 3 }, () => lib.injectTraceContext());
  lib.countAccepted({ task: 'orders.place', queue: 'orders' });
  const began = performance.now();
  await tracing.shutdown();
  return { carrier, problems, exporting: tracing.exporting, stopMs: performance.now() - began };`;
type Stopped = { carrier: { traceparent: string }; problems: string[]; exporting: boolean; stopMs: number };

interface OtlpSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
}
interface Received {
  path: string;
  body: {
    resourceSpans?: {
      resource: { attributes: { key: string; value: { stringValue: string } }[] };
      scopeSpans: { spans: OtlpSpan[] }[];
    }[];
  };
}

let stop: () => void = () => undefined;
afterEach(() => stop());

async function listening(server: Server | ReturnType<typeof createTcpServer>): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function collector(): Promise<{ endpoint: string; received: Received[] }> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      received.push({ path: request.url ?? '', body: JSON.parse(body) as Received['body'] });
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });
  stop = () => void server.close();
  return { endpoint: await listening(server), received };
}

const spansOf = (received: Received[]): OtlpSpan[] =>
  received.flatMap(({ body }) =>
    (body.resourceSpans ?? []).flatMap((one) => one.scopeSpans.flatMap(({ spans }) => spans)),
  );

describe('with an endpoint', () => {
  test('spans of two processes arrive as one trace, with their resource', async () => {
    const { endpoint, received } = await collector();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' };
    const { carrier, problems } = await run<Stopped>(SPAN_AND_STOP, env);
    await run(
      `${START.replace('problems.push(m)', 'm')}
       const parent = lib.extractTraceContext(${JSON.stringify(carrier)});
       await lib.inSpan('process orders.place', { kind: 4, parent }, () => lib.inSpan('POST', { kind: 2 }, () => 1));
       await tracing.shutdown();
       return 0;`,
      env,
    );
    const [send, ...later] = spansOf(received);
    const [client, consumer] = later;
    expect([send, consumer, client].map((span) => span?.name)).toEqual(['send orders', 'process orders.place', 'POST']);
    expect(new Set(spansOf(received).map(({ traceId }) => traceId)).size).toBe(1);
    expect([consumer?.parentSpanId, client?.parentSpanId]).toEqual([send?.spanId, consumer?.spanId]);
    const resource =
      received.find(({ body }) => body.resourceSpans)?.body.resourceSpans?.[0]?.resource.attributes ?? [];
    const attributes = Object.fromEntries(resource.map(({ key, value }) => [key, value.stringValue]));
    expect(attributes).toMatchObject({
      'service.name': 'coordinator-api',
      'service.version': '1.2.3',
      'service.instance.id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(Object.keys(attributes).filter((key) => /^(process|host)\./.test(key))).toEqual([]);
    expect(received.map(({ path }) => path)).toContain('/v1/metrics');
    expect(problems).toEqual([]);
  });

  test.each([
    ['always_off', '00', 0],
    ['always_on', '01', 1],
  ])('the sampler of the environment is obeyed: %s', async (sampler, flag, count) => {
    const { endpoint, received } = await collector();
    const { carrier } = await run<Stopped>(SPAN_AND_STOP, {
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${endpoint}/v1/traces`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_TRACES_SAMPLER: sampler,
    });
    expect(carrier.traceparent.slice(-2)).toBe(flag);
    expect(received.map(({ path }) => path)).toEqual(Array(count).fill('/v1/traces'));
  });

  test('a collector that is down is told of once while running, and stopping keeps to its time', async () => {
    const { problems, stopMs } = await run<Stopped>(
      `const problems = [];
       const tracing = await new Promise((told) => {
         const started = lib.startTracing({ service: 's', release: '1', onProblem: (m) => { problems.push(m); told(started); } });
         lib.inSpan('x', {}, () => 1);
       });
       await lib.inSpan('y', {}, () => 1);
       const began = performance.now();
       await tracing.shutdown();
       return { problems, stopMs: performance.now() - began };`,
      {
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
        OTEL_EXPORTER_OTLP_TIMEOUT: '300',
        OTEL_BSP_SCHEDULE_DELAY: '1',
      },
    );
    expect(problems).toEqual([expect.stringContaining('ECONNREFUSED')]);
    expect(stopMs).toBeLessThan(3000);
  });

  test('spans that find no room or no collector are counted', async () => {
    const { text } = await run<{ text: string }>(
      `const tracing = await new Promise((told) => {
         const started = lib.startTracing({ service: 's', release: '1', onProblem: () => told(started) });
         for (let i = 0; i < 5; i++) lib.inSpan('x', {}, () => 1);
       });
       return { text: await tracing.metricsText() };`,
      {
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:1/v1/traces',
        OTEL_EXPORTER_OTLP_TIMEOUT: '300',
        OTEL_BSP_MAX_QUEUE_SIZE: '2',
        OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '2',
      },
    );
    const lost = Array.from(text.matchAll(/^otel_sdk_processor_span_processed_total.*error_type="(\w+)"\} (\d+)$/gm));
    expect(lost.map(([, why, count]) => [why, count])).toEqual([
      ['queue_full', '1'],
      [expect.any(String), '2'],
    ]);
  });

  test('a last export that fails is told of', async () => {
    const { problems } = await run<Stopped>(SPAN_AND_STOP, {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
      // Metrics have their own way of telling, which would hide that of traces.
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_EXPORTER_OTLP_TIMEOUT: '300',
    });
    expect(problems).toEqual([expect.stringContaining('ECONNREFUSED')]);
  });

  test('a collector that never answers does not hold up the stop for more than its 2 s', async () => {
    const sockets: Socket[] = [];
    const server = createTcpServer((socket) => void sockets.push(socket));
    const endpoint = await listening(server);
    stop = () => {
      sockets.forEach((socket) => socket.destroy());
      server.close();
    };
    const { stopMs } = await run<Stopped>(SPAN_AND_STOP, { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
    expect(sockets.length).toBeGreaterThan(0);
    expect(stopMs).toBeGreaterThan(1900);
    expect(stopMs).toBeLessThan(3000);
  });
});

describe('without an endpoint', () => {
  const WATCHED = `
    const net = require('node:net');
    let sockets = 0;
    for (const [prototype, method] of [[net.Socket.prototype, 'connect'], [net.Server.prototype, 'listen']]) {
      const original = prototype[method];
      prototype[method] = function (...args) { sockets++; return original.apply(this, args); };
    }`;

  test.each([
    ['nothing is set', {}],
    [
      'neither signal is wanted',
      {
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
        OTEL_TRACES_EXPORTER: 'none',
        OTEL_METRICS_EXPORTER: 'none',
      },
    ],
    ['the SDK is disabled', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_SDK_DISABLED: 'true' }],
  ])('when %s, no socket is opened and the SDK is not loaded, yet spans have trace ids', async (_when, env) => {
    const result = await run<Stopped & { sockets: number; loaded: boolean }>(
      `${WATCHED} const result = await (async () => { ${SPAN_AND_STOP} })();
       return { ...result, sockets, loaded: Object.keys(require.cache).some((file) => file.includes('sdk-node')) };`,
      env,
    );
    expect(result).toMatchObject({ exporting: false, sockets: 0, loaded: false, problems: [] });
    expect(result.carrier.traceparent).toMatch(/^00-(?!0{32})[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    expect(result.stopMs).toBeLessThan(500);
  });

  test("a caller's trace and its sampled flag go on to whom we call", async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const carrier = await run<{ traceparent: string }>(
      `${START} const parent = lib.extractTraceContext({ traceparent: '${traceparent}' });
       return lib.inSpan('x', { parent }, () => lib.injectTraceContext());`,
    );
    expect(carrier.traceparent).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)[0-9a-f]{16}-01$/);
  });

  test('spans of work that runs at the same time do not mix', async () => {
    const results = await run<{ seen: string; own: string }[]>(
      `${START} return Promise.all(Array.from({ length: 50 }, () => lib.inSpan('x', {}, async (span) => {
         await new Promise((done) => setImmediate(done));
         return { own: span.spanContext().spanId, seen: lib.injectTraceContext().traceparent.split('-')[2] };
       })));`,
    );
    expect(results.map(({ seen }) => seen)).toEqual(results.map(({ own }) => own));
    expect(new Set(results.map(({ own }) => own)).size).toBe(50);
  });
});
