import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Secret } from '@coordinator/config';
import { defineTask, Interruption, RedisConnection, Snooze, type Outcome } from '@coordinator/tasks';
import { eventually, privateRedis, RecordingLog, runTask } from '@coordinator/task-testing';
import { startTracing, type Tracing } from '@coordinator/tracing';
import { z } from 'zod';
import { DownstreamClient } from './downstream-client.ts';
import type { DownstreamOptions } from './downstream-options.ts';
import { oauth2ClientCredentials } from './oauth2-client-credentials.ts';
import { shareDownstreams } from './share-downstreams.ts';

const touch = defineTask({ name: 'shop.touch', payload: z.strictObject({}), backoff: () => 10 });

let server: Server;
let baseUrl: string;
let calls: string[];
let answer: (response: ServerResponse, path: string) => void;
let clients: DownstreamClient[];
let connection: RedisConnection;
let log: RecordingLog;
let stopSharing: () => void;
let tracing: Tracing;

afterEach(async () => {
  stopSharing();
  server.closeAllConnections();
  server.close();
  await Promise.all(clients.map((client) => client.close()));
  connection.close();
  await tracing.shutdown();
});
const redis = privateRedis();

beforeEach(async () => {
  calls = [];
  clients = [];
  answer = status(200);
  server = createServer((request, response) => {
    calls.push(request.url ?? '');
    answer(response, request.url ?? '');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  log = new RecordingLog();
  connection = new RedisConnection({ url: redis.url, log });
  await connection.connect();
  tracing = startTracing({ service: 'test', release: '1' });
  stopSharing = shareDownstreams({ connection, log, keyPrefix: redis.freshPrefix() });
});

const status =
  (code: number, headers: Record<string, string> = {}) =>
  (response: ServerResponse): void =>
    void response.writeHead(code, headers).end('{}');

function clientOf(options: Partial<DownstreamOptions> = {}): DownstreamClient {
  const client = new DownstreamClient({ name: 'shop', baseUrl, breaker: { openMs: 100 }, ...options });
  clients.push(client);
  return client;
}

const tokens = () =>
  oauth2ClientCredentials({
    tokenUrl: `${baseUrl}/token`,
    clientId: 'c',
    clientSecret: new Secret('s'),
    style: 'form',
    scheme: 'Bearer',
  });

/** The outcome of an attempt that makes one call. */
async function attempt(client: DownstreamClient, options: Parameters<typeof runTask>[3] = {}): Promise<Outcome> {
  const { outcome } = await runTask(
    touch,
    async (_payload, { signal }) =>
      void (await client.request({ method: 'POST', path: '/', idempotencyKey: 'k', signal })),
    {},
    options,
  );
  return outcome;
}

const failing = async (client: DownstreamClient, times = 5) => {
  for (let n = 0; n < times; n++) expect(await attempt(client)).toMatchObject({ kind: 'retried' });
};

const metrics = async () => (await tracing.metricsText()).split('\n');

describe('an open breaker', () => {
  test('makes no call and spends no attempt, for any client of its downstream, and says so', async () => {
    answer = status(500);
    await failing(clientOf());
    const outcome = await attempt(clientOf());
    expect(outcome).toMatchObject({
      kind: 'snoozed',
      error: {
        code: 'COORD_DOWNSTREAM_OPEN',
        message: 'shop: no call was made: it is failing, and its circuit breaker is open',
      },
    });
    expect('delayMs' in outcome && outcome.delayMs).toBeGreaterThan(20);
    expect(await attempt(clientOf({ name: 'lms' }))).toMatchObject({ kind: 'retried' });
    expect(calls).toHaveLength(6);
    expect(await metrics()).toEqual(
      expect.arrayContaining([
        'coordinator_downstream_refused_total{coordinator_downstream="shop",coordinator_refusal="open"} 1',
        expect.stringMatching(/^coordinator_breaker_state\{coordinator_downstream="shop"\} [12]$/),
        'coordinator_breaker_state{coordinator_downstream="lms"} 0',
      ]),
    );
  });

  test('closes when the downstream is back', async () => {
    answer = status(500);
    const client = clientOf();
    await failing(client);
    answer = status(200);
    await eventually(async () => expect(await attempt(client)).toEqual({ kind: 'completed' }));
    await eventually(() => expect(log.lines.at(-1)?.message).toBe('circuit breaker closed'));
    expect(await attempt(client)).toEqual({ kind: 'completed' });
    expect(log.lines).toHaveLength(2);
  });

  test('asks for no token either, and opens when none is to be had', async () => {
    answer = (response, path) => status(path === '/token' ? 401 : 200)(response);
    const client = clientOf({ auth: tokens(), breaker: { openMs: 60_000 } });
    await failing(client);
    expect(await attempt(client)).toMatchObject({ kind: 'snoozed', error: { code: 'COORD_DOWNSTREAM_OPEN' } });
    expect(calls).toEqual(Array(5).fill('/token'));
  });
});

describe('what counts as a failure', () => {
  test.each([
    ['5xx', status(503), {}],
    ['503 that asks for no time at all', status(503, { 'retry-after': '0' }), {}],
    ['an answer that never comes', () => undefined, { totalTimeoutMs: 50 }],
    ['a reset', (response: ServerResponse) => response.socket?.resetAndDestroy(), {}],
    ['credentials that are refused', status(401), {}],
    ['nobody there', status(200), { baseUrl: 'http://127.0.0.1:1' }],
  ])('%s', async (_what, answering, options) => {
    answer = answering as typeof answer;
    const client = clientOf({ breaker: { openMs: 60_000 }, ...options });
    await failing(client);
    expect(await attempt(client)).toMatchObject({ kind: 'snoozed', error: { code: 'COORD_DOWNSTREAM_OPEN' } });
  });

  test.each([
    ['400', status(400), 'dead'],
    ['404', status(404), 'dead'],
  ])('and what does not: %s', async (_what, answering, kind) => {
    answer = answering;
    const client = clientOf();
    for (let n = 0; n < 10; n++) expect(await attempt(client)).toMatchObject({ kind });
    expect(calls).toHaveLength(10);
  });

  test('a 503 is one whatever it says about time, a 429 never', async () => {
    const breaker = { failures: 1, openMs: 60_000 };
    answer = status(503, { 'retry-after': '60' });
    await attempt(clientOf({ breaker }));
    expect(await attempt(clientOf())).toMatchObject({ error: { code: 'COORD_DOWNSTREAM_OPEN' } });
    answer = status(429);
    await attempt(clientOf({ name: 'lms', breaker }));
    expect(await attempt(clientOf({ name: 'lms' }))).toMatchObject({
      error: { code: 'COORD_DOWNSTREAM_RATE_LIMITED' },
    });
  });

  test('nor a worker that stops', async () => {
    const client = clientOf();
    for (let n = 0; n < 6; n++) {
      const abort = new AbortController();
      answer = () => abort.abort(new Interruption());
      expect(await attempt(client, { signal: abort.signal })).toMatchObject({ kind: 'snoozed', delayMs: 0 });
    }
    answer = status(200);
    expect(await attempt(client)).toEqual({ kind: 'completed' });
  });

  test('nor a token that ended before its time and is fetched anew', async () => {
    let asked = 0;
    answer = (response, path) => {
      if (path === '/token') response.end('{"access_token":"t","expires_in":3600}');
      else status(asked++ % 2 === 0 ? 401 : 200)(response);
    };
    for (let n = 0; n < 8; n++) {
      expect(await attempt(clientOf({ auth: tokens() }))).toEqual({ kind: 'completed' });
    }
    expect(asked).toBe(16);
  });
});

describe('Retry-After', () => {
  const inTwoSeconds = () => new Date(Date.now() + 2_000).toUTCString();

  test.each([
    ['429 with seconds', 429, () => '1', 900, 1_000],
    ['503 with seconds', 503, () => '1', 900, 1_000],
    ['429 with a date', 429, inTwoSeconds, 100, 2_000],
    ['429 with more than an hour', 429, () => '1000000000', 3_599_000, 3_600_000],
  ])('%s stops the calls of everybody', async (_what, code, header, leastMs, mostMs) => {
    answer = status(code, { 'retry-after': header() });
    const first = await attempt(clientOf());
    expect(first).toMatchObject({ kind: 'snoozed', error: { code: 'COORD_DOWNSTREAM_RATE_LIMITED' } });
    const others = await Promise.all(Array.from({ length: 10 }, () => attempt(clientOf())));
    for (const outcome of others) {
      expect(outcome).toMatchObject({ kind: 'snoozed', error: { code: 'COORD_DOWNSTREAM_RATE_LIMITED' } });
      const delayMs = 'delayMs' in outcome ? outcome.delayMs : 0;
      expect(delayMs).toBeGreaterThan(leastMs - 300);
      expect(delayMs).toBeLessThanOrEqual(mostMs + 1_000);
    }
    expect(calls).toHaveLength(1);
  });

  test('is obeyed to the millisecond: no call comes early, and then they come', async () => {
    answer = status(429, { 'retry-after': '1' });
    const client = clientOf();
    const startedAt = performance.now();
    await attempt(client);
    const refusedAt = performance.now();
    answer = status(200);
    await eventually(async () => expect(await attempt(client)).toEqual({ kind: 'completed' }), { everyMs: 5 });
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(1_000);
    expect(performance.now() - refusedAt).toBeLessThan(1_500);
    expect(calls).toHaveLength(2);
  });

  test.each(['0', '-7', 'soon', '1e9', '', 'Fri, 31 Dec 1999 23:59:59 GMT'])(
    '"%s" names no time: everybody makes a pause of a second',
    async (header) => {
      answer = status(429, { 'retry-after': header });
      const startedAt = performance.now();
      await attempt(clientOf());
      const others = await Promise.all(Array.from({ length: 5 }, () => attempt(clientOf())));
      expect(others).toEqual(
        Array(5).fill(
          expect.objectContaining({ error: expect.objectContaining({ code: 'COORD_DOWNSTREAM_RATE_LIMITED' }) }),
        ),
      );
      expect(calls).toHaveLength(1);
      answer = status(200);
      await eventually(async () => expect(await attempt(clientOf())).toEqual({ kind: 'completed' }));
      expect(performance.now() - startedAt).toBeGreaterThanOrEqual(1_000);
    },
  );
});

describe('limits', () => {
  test('a short wait for the rate is waited for, and the calls are evenly spaced', async () => {
    const client = clientOf({ ratePerSecond: 20 });
    const startedAt = performance.now();
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => attempt(client)));
    expect(outcomes).toEqual(Array(10).fill({ kind: 'completed' }));
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(440);
  });

  test("a long one is the job's", async () => {
    const client = clientOf({ ratePerSecond: 2 });
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => attempt(client)));
    const snoozed = outcomes.filter(({ kind }) => kind === 'snoozed');
    expect(snoozed).toHaveLength(7);
    expect(snoozed[0]).toMatchObject({ error: { code: 'COORD_DOWNSTREAM_BUSY' } });
    expect(calls).toHaveLength(3);
  });

  test('no more calls are in flight than may be, and others take their turn', async () => {
    let now = 0;
    let most = 0;
    answer = (response) => {
      most = Math.max(most, ++now);
      setTimeout(() => {
        now--;
        status(200)(response);
      }, 20);
    };
    const two = [clientOf({ maxConcurrent: 2 }), clientOf({ maxConcurrent: 2 })];
    const outcomes = await Promise.all(Array.from({ length: 12 }, (_, n) => attempt(two[n % 2]!)));
    expect(outcomes.filter(({ kind }) => kind === 'completed').length).toBeGreaterThanOrEqual(6);
    expect(most).toBe(2);
    // In one process nobody has to ask twice.
    expect(await Promise.all(Array.from({ length: 40 }, () => attempt(two[0]!)))).toEqual(
      Array(40).fill({ kind: 'completed' }),
    );
  });

  test('retries beyond the budget wait without spending an attempt, first tries do not', async () => {
    const client = clientOf();
    const outcomes: Outcome[] = [];
    for (let n = 0; n < 40; n++) outcomes.push(await attempt(client, { attempt: 2 }));
    const refused = outcomes.filter(({ kind }) => kind === 'snoozed');
    expect(refused.length).toBeGreaterThanOrEqual(9);
    expect(refused.length).toBeLessThanOrEqual(11);
    expect(refused[0]).toMatchObject({ error: { code: 'COORD_DOWNSTREAM_BUSY' } });
    expect(await attempt(client)).toEqual({ kind: 'completed' });
  });

  test('calls beyond the connections wait while these change hands, and leave when they hang', async () => {
    const client = clientOf({ maxConnections: 2, totalTimeoutMs: 5_000 });
    answer = (response) => setTimeout(() => status(200)(response), 10);
    const brisk = await Promise.all(Array.from({ length: 40 }, () => attempt(client)));
    expect(brisk).toEqual(Array(40).fill({ kind: 'completed' }));

    const held: ServerResponse[] = [];
    answer = (response) => held.push(response);
    const hanging = [attempt(client), attempt(client)];
    await eventually(() => expect(held).toHaveLength(2));
    await eventually(async () => {
      const startedAt = performance.now();
      expect(await attempt(client)).toMatchObject({ kind: 'snoozed' });
      expect(performance.now() - startedAt).toBeLessThan(200);
    });
    const startedAt = performance.now();
    const turnedAway = await Promise.all(Array.from({ length: 20 }, () => attempt(client)));
    expect(performance.now() - startedAt).toBeLessThan(500);
    for (const outcome of turnedAway) {
      expect(outcome).toMatchObject({ kind: 'snoozed', error: { code: 'COORD_DOWNSTREAM_BUSY' } });
    }
    held.forEach(status(200));
    expect(await Promise.all(hanging)).toEqual([{ kind: 'completed' }, { kind: 'completed' }]);
  });
});

test('a call that goes well costs one question and no report', async () => {
  const client = clientOf();
  await attempt(client);
  const scripts = async () => {
    const stats = String(await redis.command('INFO', 'commandstats'));
    return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0);
  };
  const before = await scripts();
  for (let n = 0; n < 20; n++) await attempt(client);
  expect((await scripts()) - before).toBe(20);
});

describe('while Redis is away', () => {
  test('calls are made, by a breaker of their own', async () => {
    await redis.server.kill();
    try {
      const client = clientOf({ breaker: { openMs: 60_000 } });
      expect(await attempt(client)).toEqual({ kind: 'completed' });
      answer = status(500);
      await failing(client);
      expect(await attempt(client)).toMatchObject({ kind: 'snoozed', error: { code: 'COORD_DOWNSTREAM_OPEN' } });
      expect(calls).toHaveLength(6);
      answer = status(429);
      const limited = clientOf({ name: 'lms' });
      await attempt(limited);
      expect(await attempt(limited)).toMatchObject({ error: { code: 'COORD_DOWNSTREAM_RATE_LIMITED' } });
    } finally {
      await redis.server.restart();
    }
  });
});

test('a refusal is a Snooze with a code, for who calls outside of a job', async () => {
  answer = status(500);
  const client = clientOf();
  await failing(client);
  await expect(client.request({ method: 'GET', path: '/' })).rejects.toBeInstanceOf(Snooze);
});

test('outside of workers no call is held back', async () => {
  stopSharing();
  answer = status(500);
  await failing(clientOf(), 20);
  expect(calls).toHaveLength(20);
});
