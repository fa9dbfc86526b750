import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { DownstreamClient } from './downstream-client.ts';
import { DownstreamError } from './downstream-error.ts';
import type { DownstreamOptions } from './downstream-options.ts';
import type { DownstreamRequest } from './downstream-request.ts';

/** What the server does with a connection once a request has come. */
let behave: (socket: Socket) => void;
let server: Server;
let client: DownstreamClient;
const sockets = new Set<Socket>();
const timers = new Set<NodeJS.Timeout>();
let requestsSeen: number;

beforeEach(async () => {
  requestsSeen = 0;
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    socket.on('data', () => {
      requestsSeen++;
      behave(socket);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  client = clientOf();
});

afterEach(async () => {
  timers.forEach(clearInterval);
  sockets.forEach((socket) => socket.destroy());
  server.close();
  await client.close();
});

function clientOf(options: Partial<DownstreamOptions> = {}): DownstreamClient {
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return new DownstreamClient({ name: 'shop', baseUrl, totalTimeoutMs: 5_000, ...options });
}

const answered =
  (head: string, body: string | Buffer = '') =>
  (socket: Socket) => {
    socket.write(`HTTP/1.1 ${head}\r\n\r\n`);
    socket.write(body);
  };

async function failure(request: Partial<DownstreamRequest> = {}): Promise<DownstreamError> {
  const got = await client.request({ method: 'POST', path: '/x', idempotencyKey: 'k', ...request }).then(
    () => new Error('The call did not fail'),
    (error: unknown) => error,
  );
  if (got instanceof DownstreamError) return got;
  throw got;
}

const OK = '200 OK\r\ncontent-type: application/json';

describe('an answer that cannot be used is tried again later and not quoted', () => {
  test.each([
    ['invalid JSON', `${OK}\r\ncontent-length: 9`, '{"ada": 1', 'shop: POST /x answered 200, unusable (not JSON)'],
    [
      'no UTF-8',
      `${OK}\r\ncontent-length: 4`,
      Buffer.from('"\xff\xfe"', 'latin1'),
      'shop: POST /x answered 200, unusable (not JSON)',
    ],
    [
      'another shape',
      `${OK}\r\ncontent-length: 15`,
      '{"total":"ada"}',
      'shop: POST /x answered 200, unusable (total: invalid_type)',
    ],
    ['an empty body', `${OK}\r\ncontent-length: 0`, '', 'shop: POST /x answered 200, unusable (invalid_type)'],
    ['no HTTP', 'ada lovelace', '', 'shop: POST /x answered unusable (HTTPParserError)'],
    [
      '20 kB of headers',
      `${OK}\r\nx-ada: ${'a'.repeat(20_000)}\r\ncontent-length: 0`,
      '',
      'shop: POST /x answered unusable (UND_ERR_HEADERS_OVERFLOW)',
    ],
    [
      '20 kB in many headers',
      `${OK}\r\n${'x-ada: b\r\n'.repeat(4_000)}content-length: 0`,
      '',
      'shop: POST /x answered unusable (UND_ERR_HEADERS_OVERFLOW)',
    ],
    [
      'a body of 10 MB',
      `${OK}\r\ncontent-length: 10000000`,
      Buffer.alloc(10_000_000, 'a'),
      'shop: POST /x answered 200, unusable (body-too-large)',
    ],
    [
      'a compressed body',
      `${OK}\r\ncontent-encoding: gzip\r\ncontent-length: 21`,
      gzipSync('1'),
      'shop: POST /x answered 200, unusable (content-encoding)',
    ],
  ])('%s', async (_what, head, body, message) => {
    behave = answered(head, body);
    const error = await failure({ answer: z.object({ total: z.number() }) });
    expect([error.kind, error.code, error.message]).toEqual(['transient', 'COORD_DOWNSTREAM_ANSWER', message]);
    expect([error.body, error.cause]).toEqual([undefined, undefined]);
  });

  test('a body that never ends, which costs the server its connection', async () => {
    const closed = new Promise((resolve) => {
      behave = (socket) => {
        socket.on('close', resolve);
        answered(`${OK}\r\ntransfer-encoding: chunked`)(socket);
        const chunk = `10000\r\n${'a'.repeat(65_536)}\r\n`;
        const pour = (): void => {
          while (!socket.destroyed && socket.write(chunk));
        };
        socket.on('drain', pour);
        pour();
      };
    });
    expect((await failure()).message).toBe('shop: POST /x answered 200, unusable (body-too-large)');
    await closed;
  });

  test.each([
    ['a POST without a key', { method: 'POST' }, 'permanent'],
    ['one that the service does not mind twice', { method: 'POST', repeatable: true }, 'transient'],
    ['a PUT', { method: 'PUT' }, 'transient'],
    ['a PUT that only seems to be one', { method: 'PUT', repeatable: false }, 'permanent'],
  ] as const)('but only what may be made twice: %s', async (_what, request, kind) => {
    behave = answered(`${OK}\r\ncontent-length: 1`, '{');
    const error = await failure({ idempotencyKey: undefined, ...request });
    expect([error.kind, error.code]).toEqual([kind, 'COORD_DOWNSTREAM_ANSWER']);
  });

  test('a schema that throws over what it reads', async () => {
    behave = answered(`${OK}\r\ncontent-length: 5`, '"ada"');
    const error = await failure({ answer: z.string().transform((value) => BigInt(value)) });
    expect([error.kind, error.message]).toEqual([
      'transient',
      'shop: POST /x answered 200, unusable (its schema threw)',
    ]);
  });

  test('a wrong value under a key that is content itself', async () => {
    const body = '{"users":{"ada":{"age":"?"}}}';
    behave = answered(`${OK}\r\ncontent-length: ${body.length}`, body);
    const answer = z.object({ users: z.record(z.string(), z.object({ age: z.number() })).optional() });
    expect((await failure({ answer })).message).toBe('shop: POST /x answered 200, unusable (users.…: invalid_type)');
  });
});

test('a refusal is one whatever comes with it', async () => {
  behave = answered('404 Not Found\r\ncontent-encoding: gzip\r\ncontent-length: 10000000', Buffer.alloc(10_000_000));
  const error = await failure();
  expect([error.kind, error.status, error.body]).toEqual(['permanent', 404, undefined]);
});

describe('when the answer is lost, a POST may have taken effect and a GET may be repeated', () => {
  const cut =
    (head: string, body = '') =>
    (socket: Socket) => {
      socket.write(`HTTP/1.1 ${head}\r\n\r\n${body}`, () => socket.resetAndDestroy());
    };
  test.each<[string, (socket: Socket) => void, string]>([
    ['a reset', (socket) => socket.resetAndDestroy(), 'no answer'],
    ['an end', (socket) => socket.end(), 'no answer'],
    ['half a head', (socket) => socket.end('HTTP/1.1 200 OK\r\nconte'), 'no answer'],
    ['half a body, then a reset', cut(`${OK}\r\ncontent-length: 100`, '{"a":'), 'only part of an answer 200'],
    [
      'half a body, then an end',
      (socket) => socket.end(`HTTP/1.1 ${OK}\r\ncontent-length: 100\r\n\r\n{"a":`),
      'only part of an answer 200',
    ],
    [
      'half a chunk of the last answer of a connection',
      (socket) => socket.end(`HTTP/1.1 ${OK}\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n9\r\n{"a`),
      'only part of an answer 200',
    ],
    [
      'half a chunk, then an end',
      (socket) => socket.end(`HTTP/1.1 ${OK}\r\ntransfer-encoding: chunked\r\n\r\n9\r\n{"a`),
      'only part of an answer 200',
    ],
  ])('%s', async (_what, behaviour, said) => {
    behave = behaviour;
    const post = await failure();
    expect([post.kind, post.code]).toEqual(['unknown-outcome', 'COORD_DOWNSTREAM_UNKNOWN_OUTCOME']);
    expect(post.message).toMatch(new RegExp(`^shop: POST /x got ${said} \\(\\w+\\)$`));
    const get = await failure({ method: 'GET' });
    expect([get.kind, get.code]).toEqual(['transient', 'COORD_DOWNSTREAM_UNAVAILABLE']);
    // Made again without a key, it could take effect twice.
    const bare = await failure({ idempotencyKey: undefined });
    expect([bare.kind, bare.code]).toEqual(['permanent', 'COORD_DOWNSTREAM_UNKNOWN_OUTCOME']);
    expect(bare.message).toContain('find out whether it took effect');
    expect(requestsSeen).toBe(3);
  });
});

describe('every call ends in time', () => {
  const totalTimeoutMs = 150;

  const drip = (head: string, byte: string) => (socket: Socket) => {
    socket.write(head);
    timers.add(setInterval(() => socket.write(byte), 5));
  };
  test.each<[string, (socket: Socket) => void]>([
    ['a server that says nothing', () => undefined],
    ['a status line byte by byte', drip('HTTP/1.1 200 ', 'O')],
    ['a header byte by byte', drip('HTTP/1.1 200 OK\r\nx: ', 'a')],
    ['early hints without end', drip('', 'HTTP/1.1 103 Early Hints\r\n\r\n')],
    ['a body byte by byte', drip(`HTTP/1.1 ${OK}\r\ncontent-length: 1000\r\n\r\n`, ' ')],
    ['chunks without end', drip(`HTTP/1.1 ${OK}\r\ntransfer-encoding: chunked\r\n\r\n`, '1\r\n \r\n')],
  ])('%s', async (_what, behaviour) => {
    behave = behaviour;
    await client.close();
    client = clientOf({ totalTimeoutMs });
    await client.request({ method: 'GET', path: '/' }).catch(() => undefined);
    const startedAt = performance.now();
    const error = await failure();
    const tookMs = performance.now() - startedAt;
    expect(error.kind).toBe('unknown-outcome');
    expect(error.message).toMatch(/\(timeout\)$/);
    expect(tookMs).toBeLessThan(totalTimeoutMs + 100);
  });

  test('headers have a limit of their own', async () => {
    behave = () => undefined;
    await client.close();
    client = clientOf({ headersTimeoutMs: 50 });
    const startedAt = performance.now();
    expect((await failure()).message).toBe('shop: POST /x got no answer (headers-timeout)');
    expect(performance.now() - startedAt).toBeLessThan(50 + 100);
  });

  test('the caller can end it, and is named as the cause', async () => {
    const caller = new AbortController();
    const reason = new Error('the worker stops');
    behave = () => caller.abort(reason);
    const error = await failure({ signal: caller.signal });
    expect([error.kind, error.message, error.cause]).toEqual([
      'unknown-outcome',
      'shop: POST /x got no answer (aborted)',
      reason,
    ]);
  });

  test('a caller who has given up before costs no call', async () => {
    const error = await failure({ signal: AbortSignal.abort() });
    expect([error.kind, error.message, requestsSeen]).toEqual(['transient', 'shop: POST /x was not sent (aborted)', 0]);
  });
});

test('a server that is not there is no doubt about the outcome', async () => {
  const gone = createServer().listen(0, '127.0.0.1');
  await once(gone, 'listening');
  const { port } = gone.address() as AddressInfo;
  gone.close();
  await once(gone, 'close');
  await client.close();
  client = clientOf({ baseUrl: `http://127.0.0.1:${port}` });
  const error = await failure();
  expect([error.kind, error.message]).toEqual(['transient', 'shop: POST /x was not sent (ECONNREFUSED)']);
});

test('a name that cannot be resolved is no doubt about the outcome', async () => {
  await client.close();
  client = clientOf({ baseUrl: 'http://shop.invalid' });
  const error = await failure();
  expect([error.kind, error.code]).toEqual(['transient', 'COORD_DOWNSTREAM_UNAVAILABLE']);
  expect(error.message).toMatch(/^shop: POST \/x was not sent \((ENOTFOUND|EAI_AGAIN)\)$/);
});
