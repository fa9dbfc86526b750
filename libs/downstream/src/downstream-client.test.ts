import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { TaskError } from '@coordinator/tasks';
import { z } from 'zod';
import { DownstreamClient } from './downstream-client.ts';
import { DownstreamError } from './downstream-error.ts';
import type { DownstreamOptions } from './downstream-options.ts';

let server: Server;
let baseUrl: string;
let clients: DownstreamClient[];
let requests: { line: string; headers: IncomingMessage['headers']; body: string }[];
let connections: number;
let answer: (response: ServerResponse, request: IncomingMessage) => void;

beforeEach(async () => {
  clients = [];
  requests = [];
  connections = 0;
  answer = (response) => json(response, 200, { ok: true });
  server = createServer(async (request, response) => {
    requests.push({ line: `${request.method} ${request.url}`, headers: request.headers, body: await text(request) });
    answer(response, request);
  });
  server.on('connection', () => connections++);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`;
});

afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()));
  server.close();
});

function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

function clientOf(options: Partial<DownstreamOptions> = {}): DownstreamClient {
  const client = new DownstreamClient({ name: 'shop', baseUrl, ...options });
  clients.push(client);
  return client;
}

async function failure(call: Promise<unknown>): Promise<DownstreamError> {
  const error = await call.then(
    () => new Error('The call did not fail'),
    (error: unknown) => error,
  );
  if (error instanceof DownstreamError) return error;
  throw error;
}

describe('a request', () => {
  test('is sent below the base URL, with its query and JSON', async () => {
    const json = { amount: 4900, note: 'ä' };
    await clientOf().request({
      method: 'POST',
      path: '/orders/{id}',
      params: { id: 'a/b' },
      query: { full: true },
      json,
    });
    expect(requests[0]).toMatchObject({
      line: 'POST /api/orders/a%2Fb?full=true',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: '{"amount":4900,"note":"ä"}',
    });
  });

  test('carries a form', async () => {
    await clientOf().request({
      method: 'POST',
      path: '/refunds',
      form: { amount: 4900, 'metadata[return_id]': 'r&1' },
    });
    expect(requests[0]).toMatchObject({
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'amount=4900&metadata%5Breturn_id%5D=r%261',
    });
  });

  test('carries the headers of client and request, whose names have no case', async () => {
    const client = clientOf({ headers: { 'Stripe-Version': '2022-08-01', Accept: 'text/plain' } });
    await client.request({ method: 'GET', path: '/', headers: { ACCEPT: 'application/json', 'X-A': 'b' } });
    expect(requests[0]?.headers).toMatchObject({
      'stripe-version': '2022-08-01',
      accept: 'application/json',
      'x-a': 'b',
    });
  });

  test('asks for an answer that is not compressed', async () => {
    await clientOf().request({ method: 'GET', path: '/' });
    expect(requests[0]?.headers['accept-encoding']).toBe('identity');
  });

  test('carries its idempotency key in the header that the service reads', async () => {
    await clientOf().request({ method: 'POST', path: '/', idempotencyKey: 'job-1:refund' });
    const paypal = clientOf({ idempotencyHeader: 'PayPal-Request-Id' });
    await paypal.request({ method: 'POST', path: '/', idempotencyKey: 'job-1:refund' });
    expect(requests[0]?.headers['idempotency-key']).toBe('job-1:refund');
    expect(requests[1]?.headers).toMatchObject({ 'paypal-request-id': 'job-1:refund' });
    expect(requests[1]?.headers).not.toHaveProperty('idempotency-key');
  });

  test('uses the connection of the one before it', async () => {
    const client = clientOf({ maxConnections: 1 });
    for (let n = 0; n < 10; n++) await client.request({ method: 'POST', path: '/', json: n });
    expect([requests.length, connections]).toEqual([10, 1]);
  });

  test.each([
    ['leaves the base URL', { path: '//evil.test/' }],
    ['is an absolute URL', { path: 'http://evil.test/' }],
    ['names another host', { headers: { Host: 'evil.test' } }],
    ['frames itself', { headers: { 'Content-Length': '5' } }],
    ['asks for compression', { headers: { 'Accept-Encoding': 'gzip' } }],
    ['has two bodies', { json: 1, form: {} }],
    ['has an empty key', { idempotencyKey: '' }],
    ['has a key of two lines', { idempotencyKey: 'a\r\nx: y' }],
    ['has a header of two lines', { headers: { 'x-a': 'b\r\nx-c: d' } }],
    ['has a header without a name', { headers: { '': 'b' } }],
  ])('that %s is refused before any call, for good', async (_what, part) => {
    const call = clientOf().request({ method: 'POST', path: '/', ...part });
    await expect(call).rejects.toBeInstanceOf(TaskError);
    await expect(call).rejects.toMatchObject({ kind: 'permanent', message: expect.not.stringContaining('evil') });
    expect(connections).toBe(0);
  });

  test('of GET has no body', async () => {
    await expect(clientOf().request({ method: 'GET', path: '/', json: {} })).rejects.toMatchObject({
      kind: 'permanent',
    });
  });
});

describe('an answer', () => {
  test('is what its schema makes of it', async () => {
    answer = (response) => json(response, 201, { id: 're_1', amount: 4900 }, { 'X-Request-Id': 'q1' });
    const got = await clientOf().request({ method: 'POST', path: '/', answer: z.object({ id: z.string() }) });
    expect(got).toMatchObject({ status: 201, body: { id: 're_1' }, headers: { 'x-request-id': 'q1' } });
    expect(got.body).toEqual({ id: 're_1' });
  });

  test.each([
    ['nothing', 204, '', undefined],
    ['plain text', 200, 'done', 'done'],
    ['JSON that does not say so', 200, '{"a":1}', { a: 1 }],
  ])('without a schema may be %s', async (_what, status, sent, body) => {
    answer = (response) => response.writeHead(status).end(sent);
    await expect(clientOf().request({ method: 'GET', path: '/' })).resolves.toMatchObject({ status, body });
  });

  test('to HEAD has no body, whatever its length says', async () => {
    answer = (response) => response.writeHead(200, { 'content-length': '5000000' }).end();
    await expect(clientOf().request({ method: 'HEAD', path: '/' })).resolves.toMatchObject({ status: 200 });
  });

  test('after an early hint is the final one', async () => {
    answer = (response) => response.writeEarlyHints({ link: '</a>; rel=preload' }, () => json(response, 200, { a: 1 }));
    await expect(clientOf().request({ method: 'GET', path: '/' })).resolves.toMatchObject({
      status: 200,
      body: { a: 1 },
    });
  });

  test('of a status that the request adopts is a success', async () => {
    answer = (response) => json(response, 406, { detail: 'nothing to do' });
    const got = await clientOf().request({ method: 'PUT', path: '/', adopt: [406] });
    expect(got).toMatchObject({ status: 406, body: { detail: 'nothing to do' } });
  });
});

describe('a refusal', () => {
  const refused = 'COORD_DOWNSTREAM_REFUSED';
  const unavailable = 'COORD_DOWNSTREAM_UNAVAILABLE';
  const limited = 'COORD_DOWNSTREAM_RATE_LIMITED';
  const soon = String(Math.floor(Date.now() / 1_000) + 1_000_000);

  test.each([
    [301, {}, 'permanent', refused, undefined],
    [302, {}, 'permanent', refused, undefined],
    [304, {}, 'permanent', refused, undefined],
    [307, {}, 'permanent', refused, undefined],
    [400, {}, 'permanent', refused, undefined],
    [401, {}, 'transient', unavailable, undefined],
    [404, { 'retry-after': '5' }, 'permanent', refused, undefined],
    [409, {}, 'permanent', refused, undefined],
    [410, {}, 'permanent', refused, undefined],
    [422, {}, 'permanent', refused, undefined],
    [408, {}, 'transient', unavailable, undefined],
    [425, {}, 'transient', unavailable, undefined],
    [500, { 'retry-after': '5' }, 'transient', unavailable, undefined],
    [502, {}, 'transient', unavailable, undefined],
    [504, {}, 'transient', unavailable, undefined],
    [599, {}, 'transient', unavailable, undefined],
    [503, {}, 'transient', unavailable, undefined],
    [503, { 'retry-after': 'soon' }, 'transient', unavailable, undefined],
    [503, { 'retry-after': '0' }, 'transient', unavailable, undefined],
    [503, { 'x-ratelimit-reset': soon }, 'transient', unavailable, undefined],
    [503, { 'retry-after': '7' }, 'rate-limited', limited, 7_000],
    [429, {}, 'rate-limited', limited, undefined],
    [429, { 'retry-after': '7' }, 'rate-limited', limited, 7_000],
    [429, { 'retry-after': '-7' }, 'rate-limited', limited, undefined],
    [429, { 'retry-after': '0' }, 'rate-limited', limited, undefined],
    [429, { 'retry-after': '100000' }, 'rate-limited', limited, 60_000],
    [429, { 'x-ratelimit-reset': soon }, 'rate-limited', limited, 60_000],
  ] as const)('%i with %j is %s', async (status, headers, kind, code, retryAfterMs) => {
    answer = (response) => json(response, status, {}, headers);
    const error = await failure(clientOf({ retryAfterCapMs: 60_000 }).request({ method: 'POST', path: '/' }));
    expect(error).toBeInstanceOf(TaskError);
    expect([error.kind, error.code, error.status, error.retryAfterMs]).toEqual([kind, code, status, retryAfterMs]);
    expect(requests).toHaveLength(1);
  });

  test('names client, method, route and status, and nothing of what was said', async () => {
    answer = (response) => json(response, 400, { message: 'ada@example.test is not known' });
    const request = {
      method: 'POST',
      path: '/users/{name}',
      params: { name: 'ada' },
      query: { email: 'ada@x.test' },
    } as const;
    const error = await failure(clientOf().request(request));
    expect(error.message).toBe('shop: POST /users/{name} answered 400');
    expect(error.body).toEqual({ message: 'ada@example.test is not known' });
    expect(inspect(error, { depth: 9 }) + JSON.stringify(error)).not.toContain('ada');
  });

  test('with 410 says that calls to it are to be taken out', async () => {
    answer = (response) => json(response, 410, {});
    const error = await failure(clientOf().request({ method: 'GET', path: '/hooks', params: {} }));
    expect(error.message).toMatch(/^shop: GET \/hooks answered 410: .* gone for good/);
  });

  test("carries the service's own code, if it is short", async () => {
    answer = (response) => json(response, 402, { error: { code: 'card_declined' } });
    const schema = z.object({ error: z.object({ code: z.string() }) });
    const client = clientOf({ describeError: (status, body) => `${status}\n${schema.parse(body).error.code}` });
    const call = () => failure(client.request({ method: 'POST', path: '/charges' }));
    expect((await call()).message).toBe('shop: POST /charges answered 402 (402 card_declined)');

    answer = (response) => json(response, 402, { error: { code: 'x'.repeat(5_000) } });
    expect((await call()).message).toHaveLength('shop: POST /charges answered 402 ()'.length + 200);
  });

  test('keeps its kind when the hook for its code fails', async () => {
    answer = (response) => response.writeHead(422).end('<html>');
    const client = clientOf({ describeError: (_status, body) => (body as { a: { b: string } }).a.b });
    const error = await failure(client.request({ method: 'POST', path: '/' }));
    expect([error.kind, error.message, error.body]).toEqual(['permanent', 'shop: POST / answered 422', '<html>']);
  });
});

test('a redirect is not followed', async () => {
  answer = (response) => response.writeHead(302, { location: `${baseUrl}/elsewhere` }).end();
  await failure(clientOf().request({ method: 'GET', path: '/' }));
  expect(requests.map(({ line }) => line)).toEqual(['GET /api/']);
});

test('close waits for calls that were sent; later ones fail and may be tried again', async () => {
  const client = clientOf();
  let finish = (): void => undefined;
  const arrived = new Promise<void>((resolve) => {
    answer = (response) => {
      finish = () => json(response, 200, 'late');
      resolve();
    };
  });
  const running = client.request({ method: 'POST', path: '/' });
  await arrived;
  const closed = client.close();
  const error = await failure(client.request({ method: 'POST', path: '/' }));
  expect([error.kind, error.message]).toEqual(['transient', 'shop: POST / was not sent (closed)']);
  finish();
  await expect(running).resolves.toMatchObject({ body: 'late' });
  await closed;
});

test.each([
  ['maxConnections', 0],
  ['totalTimeoutMs', 1.5],
  ['maxResponseBytes', NaN],
  ['burst', 0],
  ['maxConcurrent', 2.5],
] as const)('a client with %s %d is refused', (limit, value) => {
  expect(() => clientOf({ [limit]: value })).toThrow(`shop: ${limit} must be a whole number of at least 1`);
});

test.each(['connectTimeoutMs', 'headersTimeoutMs', 'totalTimeoutMs'])(
  'a client with a %s that no timer of Node waits for is refused',
  (limit) => {
    expect(() => clientOf({ [limit]: 2 ** 31 })).toThrow(`shop: ${limit} must be at most 2147483647, 24 days`);
  },
);

test('a client with a rate that is none, or a breaker that never opens, is refused', () => {
  expect(() => clientOf({ ratePerSecond: 0 })).toThrow('shop: ratePerSecond must be a number above 0');
  expect(() => clientOf({ breaker: { failures: 0 } })).toThrow('shop: breaker.failures must be a whole number');
});
