import { eventually, recordSpans } from '@coordinator/task-testing';
import { describe, expect, test } from '@jest/globals';
import { promisify } from 'node:util';
import { apiSuite, codeOf, jobOf, order } from './fixtures/api-suite.ts';
import { getRequest, orderBody, orderRequest, webhookRequest, type RequestChange } from './fixtures/raw-request.ts';

const { redis, closing, start, open, ask, begin, storedJobs, prefix } = apiSuite();

describe('slow senders', () => {
  test('are told so in 5 s before the body and in 10 s in it', async () => {
    const api = await start();
    const silent = open(api);
    const slowHead = open(api).write('POST /v1/orders HTTP/1.1\r\n');
    const slowBody = open(api).write(orderRequest({ body: '{', headers: { 'content-length': '200' } }));
    const cutBody = open(api).write(orderRequest({ headers: { 'content-length': '1000' } }));
    const dripping = setInterval(() => {
      slowHead.write('X: y\r\n');
      slowBody.write(' ');
    }, 500);
    closing.push(() => clearInterval(dripping));

    for (const late of [silent, slowHead, slowBody, cutBody]) {
      const [answer] = await late.answered();
      await late.closed();
      expect(answer).toMatchObject({ status: 408 });
      expect(codeOf(answer!)).toBe('COORD_REQUEST_TIMEOUT');
    }
    expect(Math.max(silent.answeredAfterMs!, slowHead.answeredAfterMs!)).toBeLessThan(5_500);
    expect(Math.max(slowBody.answeredAfterMs!, cutBody.answeredAfterMs!)).toBeLessThan(10_500);
    expect(await storedJobs()).toBe(0);
  }, 30_000);

  test('hold back nobody else, and more than the process takes are closed as they come', async () => {
    const api = await start({ maxConnections: 300 });
    const slow = Array.from({ length: 299 }, () => open(api).write('POST /v1/orders HTTP/1.1\r\n'));
    const shop = open(api);
    await shop.write(order('D-1')).answered();
    expect(shop.answers[0]).toMatchObject({ status: 202 });

    const oneTooMany = open(api).write(order('D-2'));
    await oneTooMany.closed();
    expect(oneTooMany.answers).toEqual([]);

    // It has made room: the shop has its answer, so it can open another one.
    await shop.closed();
    expect((await ask(api, order('D-3'))).status).toBe(202);
    expect(slow.every((connection) => connection.closedAfterMs === undefined)).toBe(true);
  });

  test('cannot keep others out with connections that they do not use', async () => {
    const api = await start({ maxConnections: 20 });
    const busy = open(api).write('POST /v1/orders HTTP/1.1\r\n');
    const idle = Array.from({ length: 19 }, () => open(api).write(getRequest('/livez')));
    for (const connection of idle) await connection.answered();

    await eventually(async () => {
      const connection = open(api).write(order('D-1', { headers: { connection: 'close' } }));
      await connection.closed();
      expect(connection.answers).toMatchObject([{ status: 202 }]);
    });
    expect(busy.closedAfterMs).toBeUndefined();
  });
});

describe('a large body', () => {
  test.each([
    ['of a caller', 413, {}],
    ['of a stranger', 401, { authorization: undefined }],
    ['that is no JSON', 415, { 'content-type': 'text/plain' }],
  ])('%s is read to its end, so that its sender sees the answer', async (_whose, status, headers) => {
    const api = await start();
    const connection = open(api).write(order('D-1', { headers, body: Buffer.alloc(5_000_000, ' ') }));
    await connection.finished();
    expect(connection.answers).toMatchObject([{ status }]);
    expect(connection.wasReset).toBe(false);
  });

  test('that does not end is not waited for', async () => {
    const api = await start();
    const connection = open(api).write(order('D-1', { headers: { 'content-length': '999999' } }));
    const dripping = setInterval(() => connection.write(' '), 50);
    closing.push(() => clearInterval(dripping));
    await connection.closed();
    expect(connection.answers).toMatchObject([{ status: 413 }]);
  });
});

describe('a sender who asks before it sends its body', () => {
  const asking = (headers: RequestChange['headers'] = {}) =>
    order('D-1', { body: '', headers: { expect: '100-continue', 'content-length': '300', ...headers } });

  test.each([
    ['without a token', 401, { authorization: undefined }],
    ['of too much', 413, { 'content-length': '262145' }],
    ['of something else', 415, { 'content-type': 'text/plain' }],
    ['at another host', 400, { host: undefined }],
  ])('%s is refused at once', async (_what, status, headers) => {
    expect((await ask(await start(), asking(headers))).status).toBe(status);
  });

  test('without a signature is refused at once', async () => {
    const headers = { expect: '100-continue', 'content-length': '300', 'stripe-signature': undefined };
    expect((await ask(await start(), webhookRequest({ body: '', headers }))).status).toBe(401);
  });

  test('is told to go on', async () => {
    const api = await start();
    const connection = open(api).write(asking());
    expect((await connection.answered())[0]).toMatchObject({ status: 100 });
    connection.write(orderBody().padEnd(300));
    expect((await connection.answered(2))[1]).toMatchObject({ status: 202 });
  });
});

describe('a reader who does not read', () => {
  test('is given up when nothing has moved for a while', async () => {
    const api = await start();
    expect(api.server.timeout).toBe(15_000);
    api.server.timeout = 500;
    const filling = open(api);
    const [accepted] = await filling.write(order('D-1')).answered();
    filling.end();
    const long = Array.from({ length: 1_000 }, () => jobOf(accepted!));
    await redis.command('RPUSH', `${prefix()}:subject:order:D-1`, ...long);
    const connections = () => promisify<number>((done) => api.server.getConnections(done))();
    await eventually(async () => expect(await connections()).toBe(0));

    const timeline = getRequest('/v1/subjects/order:D-1/jobs?limit=1000');
    const [whole] = await open(api).write(timeline).answered();
    expect(whole!.body.length).toBeGreaterThan(300_000);
    // More than the buffers on the way can hold.
    const deaf = open(api)
      .stopReading()
      .write(Buffer.concat(Array.from({ length: 30 }, () => timeline)));
    await eventually(async () => expect(await connections()).toBe(2));
    await eventually(async () => expect(await connections()).toBe(1));
    expect(deaf.answers).toEqual([]);
  });
});

describe('one connection', () => {
  test('with junk after a request gets the answer to the request, then a refusal, and the job exists once', async () => {
    const api = await start();
    const connection = open(api).write(Buffer.concat([order('D-1'), Buffer.from('junk\r\n\r\n')]));
    const [accepted, refused] = await connection.answered(2);
    await connection.closed();
    expect(accepted).toMatchObject({ status: 202 });
    expect(refused).toMatchObject({ status: 400 });
    expect(codeOf(refused!)).toBe('COORD_REQUEST_MALFORMED');
    expect(await storedJobs()).toBe(1);
  });

  test('carries many requests, one behind the other', async () => {
    const api = await start();
    const connection = open(api).write(Buffer.concat([order('D-1'), order('D-2'), getRequest('/livez'), order('D-1')]));
    const answers = await connection.answered(4);
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 200, 202]);
    // Idle for longer than balancers leave it, so that it is they who close; and not for ever.
    expect(answers[0]!.headers.get('keep-alive')).toBe('timeout=65, max=10000');
    expect(await storedJobs()).toBe(2);
  });

  test('is kept after a refusal of a body that has been read', async () => {
    const api = await start();
    const connection = open(api).write(order('D-1', { body: '{}' }));
    await connection.answered();
    await connection.write(order('D-2')).answered(2);
    expect(connection.answers.map(({ status }) => status)).toEqual([422, 202]);
  });

  test('is no tunnel', async () => {
    const api = await start();
    const connection = open(api).write('CONNECT example.test:443 HTTP/1.1\r\nHost: example.test\r\n\r\n');
    await connection.closed();
    expect(connection.answers).toEqual([]);
  });

  test('whose sender goes away in the middle leaves nothing behind', async () => {
    const api = await start();
    open(api)
      .write(orderRequest({ headers: { 'content-length': '1000' } }))
      .end();
    expect((await ask(api, order('D-2'))).status).toBe(202);
    expect(await storedJobs()).toBe(1);
  });
});

describe('the Host header', () => {
  test.each(['api.example.test', 'API.example.test:8080', 'shop:81'])('may be %s, which is served', async (host) => {
    const api = await start({ hosts: ['api.example.test', 'shop:81'] });
    expect((await ask(api, order('D-1', { headers: { host } }))).status).toBe(202);
  });

  test('of somebody else is refused, except by probes, which come by address', async () => {
    const api = await start({ hosts: ['api.example.test'] });
    const headers = { host: 'evil.example.test' };
    const refused = await ask(api, order('D-1', { headers }));
    expect(refused).toMatchObject({ status: 421 });
    expect(codeOf(refused)).toBe('COORD_HOST_UNKNOWN');
    expect((await ask(api, getRequest('/readyz', { headers }))).status).toBe(200);
    expect((await ask(api, getRequest('/v1/jobs/j1', { headers }))).status).toBe(421);
    const forwarded = { ...headers, 'x-forwarded-host': 'api.example.test', forwarded: 'host=api.example.test' };
    expect((await ask(api, order('D-1', { headers: forwarded }))).status).toBe(421);
  });

  test.each(['127.0.0.1:8080', '[::1]:8080', 'api_1', 'localhost'])(
    'may be any when none is named: %s',
    async (host) => {
      const api = await start();
      expect((await ask(api, order('D-1', { headers: { host } }))).status).toBe(202);
    },
  );
});

describe('too much', () => {
  test('from one caller is refused for a second, and leaves the others alone', async () => {
    const api = await start({ rate: { perSecond: 1, burst: 3 } });
    const connection = open(api).write(Buffer.concat(['D-1', 'D-2', 'D-3', 'D-4'].map((number) => order(number))));
    const answers = await connection.answered(4);
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 429]);
    expect(codeOf(answers[3]!)).toBe('COORD_RATE_LIMITED');
    expect(answers[3]!.headers.get('retry-after')).toBe('1');
    expect((await ask(api, getRequest('/v1/jobs/j1'))).status).toBe(429);
    expect((await ask(api, order('D-5', { headers: { authorization: 'Bearer other-token' } }))).status).toBe(202);
    expect((await ask(api, webhookRequest())).status).toBe(202);
    expect((await ask(api, getRequest('/readyz'))).status).toBe(200);
    await eventually(async () => expect((await ask(api, order('D-6'))).status).toBe(202), { everyMs: 200 });
  });

  test('for a queue is refused until jobs of it have ended', async () => {
    const api = await start({ maxDepth: 2 });
    for (const number of ['D-1', 'D-2']) expect((await ask(api, order(number))).status).toBe(202);
    const refused = await ask(api, order('D-3'));
    expect([refused.status, codeOf(refused)]).toEqual([503, 'COORD_QUEUE_FULL']);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect((await ask(api, webhookRequest())).status).toBe(202);
    expect(await storedJobs()).toBe(3);
  });

  test('for one process is refused while it has its hands full', async () => {
    const api = await start({ overload: { maxInFlight: 1 } });
    redis.server.pause();
    const first = await begin(api, order('D-1'));
    const second = await ask(api, order('D-2'));
    expect(second).toMatchObject({ status: 503 });
    expect(codeOf(second)).toBe('COORD_OVERLOADED');
    expect(second.headers.get('retry-after')).toBe('1');
    redis.server.resume();
    expect((await first.answered())[0]).toMatchObject({ status: 202 });
    expect((await ask(api, order('D-2'))).status).toBe(202);
  });

  test.each([
    ['a job', '/v1/jobs/j1'],
    ['a timeline', '/v1/subjects/order:D-1/jobs'],
  ])('for one process is refused while it reads %s, too', async (_what, path) => {
    const api = await start({ overload: { maxInFlight: 1 } });
    redis.server.pause();
    await begin(api, getRequest(path));
    const refused = [await ask(api, getRequest(path)), await ask(api, order('D-1'))];
    redis.server.resume();
    expect(refused.map(codeOf)).toEqual(['COORD_OVERLOADED', 'COORD_OVERLOADED']);
    await eventually(async () => expect((await ask(api, order('D-1'))).status).toBe(202));
  });

  test('for the event loop is refused before anything is looked up, and probes are answered', async () => {
    const api = await start({ overload: { maxLoopLagMs: 50 } });
    const connection = open(api);
    const probe = open(api);
    await probe.write(getRequest('/livez')).answered();
    await connection.write(getRequest('/livez')).answered();
    connection.write(order('D-1'));
    probe.write(getRequest('/livez'));
    const until = performance.now() + 400;
    while (performance.now() < until);
    const [, refused] = await connection.answered(2);
    expect(refused).toMatchObject({ status: 503 });
    expect(codeOf(refused!)).toBe('COORD_OVERLOADED');
    expect((await probe.answered(2))[1]).toMatchObject({ status: 200 });
    await eventually(async () => expect((await ask(api, order('D-1'))).status).toBe(202));
  });
});

describe('while Redis hangs', () => {
  test.each([
    ['an order', () => order('D-1')],
    ['a webhook', () => webhookRequest()],
    ['a question for a job', () => getRequest('/v1/jobs/j1')],
    ['the readiness probe', () => getRequest('/readyz')],
  ])('%s is answered 503 in time', async (_what, bytes) => {
    const api = await start();
    redis.server.pause();
    const startedAt = performance.now();
    const answer = await ask(api, bytes());
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect(answer).toMatchObject({ status: 503 });
    expect(answer.headers.get('retry-after')).toBe('1');
  });
});

describe('the trace of a request', () => {
  /** The trace that a job says it belongs to, those that were recorded, and all that is stored of the job. */
  async function traced(headers: RequestChange['headers']) {
    const recording = recordSpans();
    closing.push(() => recording.stop());
    const api = await start();
    const jobId = jobOf(await ask(api, order('D-1', { headers })));
    const { body } = await ask(api, getRequest(`/v1/jobs/${jobId}`));
    const { traceId } = JSON.parse(body) as { traceId: string | null };
    const stored = String(await redis.command('HGETALL', `${prefix()}:job:${jobId}`));
    return { traceId, recorded: new Set(recording.spans().map((span) => span.traceId)), stored };
  }

  test('goes on in its job', async () => {
    const [traceId, spanId] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];
    const found = await traced({ traceparent: `00-${traceId}-${spanId}-01` });
    expect([found.traceId, ...found.recorded]).toEqual([traceId, traceId]);
  });

  test('is a new one where it cannot be read, and what strangers put beside it goes no further', async () => {
    const stranger = 'Xx-of-a-stranger';
    const baggage = `a=${stranger.repeat(500)}`;
    const { traceId, recorded, stored } = await traced({
      traceparent: `00-${stranger}`,
      tracestate: stranger,
      baggage,
    });
    expect(traceId).toMatch(/^[0-9a-f]{32}$/);
    expect([...recorded]).toEqual([traceId]);
    expect(stored).not.toContain(stranger);
  });
});

test('nothing under /v1 or /webhooks can be asked without saying who asks', async () => {
  const api = await start();
  const anonymous = { headers: { authorization: undefined, 'stripe-signature': undefined } };
  const asked = [
    orderRequest(anonymous),
    webhookRequest(anonymous),
    getRequest('/v1/jobs/j1', anonymous),
    getRequest('/v1/subjects/order:D-1/jobs', anonymous),
    // Whether there is anything is for callers to know, and what is added here is guarded before it is written.
    getRequest('/v1/nothing', anonymous),
    getRequest('/v1/orders', anonymous),
    getRequest('/v1/jobs/j1', { ...anonymous, method: 'DELETE' }),
  ];
  for (const bytes of asked) expect((await ask(api, bytes)).status).toBe(401);
});
