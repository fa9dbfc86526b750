import type { Fake } from '@coordinator/extension';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LedgerEntry } from './effect-ledger.ts';
import { startFakeServer, type FakeServer } from './fake-server.ts';
import type { WebhookAnswer } from './send-webhook.ts';

/** A course platform with one route that has an effect and one that has none. */
const lms: Fake = {
  environment: (baseUrl) => ({ LMS_URL: baseUrl }),
  routes: [
    {
      name: 'lms.enrol',
      method: 'POST',
      path: '/enrolments/:user',
      handle: ({ params, body, headers }, ledger) => {
        const repeated = ledger.record({
          effect: 'lms.enrol',
          subject: `user:${params.user}`,
          idempotencyKey: headers['idempotency-key'] as string | undefined,
          request: body,
        });
        return { status: repeated ? 200 : 201, body: { user: params.user } };
      },
    },
    { name: 'lms.course', method: 'GET', path: '/courses/', handle: () => ({ status: 200, body: { courses: [] } }) },
  ],
};
const pay: Fake = {
  environment: (baseUrl) => ({ PAY_URL: `${baseUrl}/v1` }),
  routes: [{ name: 'pay.refund', method: 'POST', path: '/v1/refunds', handle: ({ body }) => ({ status: 200, body }) }],
  webhook: (input, { badSignature }) => {
    if ((input as { type?: string }).type === 'unheard-of') throw new RangeError('no such type');
    return {
      path: '/webhooks/pay',
      headers: { 'content-type': 'application/json', signature: badSignature ? 'wrong' : 'right' },
      body: JSON.stringify(input),
    };
  },
};

let server: FakeServer;
beforeEach(async () => {
  server = await startFakeServer({ fakes: { lms, pay } });
});
afterEach(() => server.close());

/** All that an answer may hold; a test reads what it expects. */
interface Body {
  readonly detail: string;
  readonly effects: readonly LedgerEntry[];
  readonly routes: readonly string[];
  readonly answers: readonly WebhookAnswer[];
}
async function call(path: string, init: RequestInit = {}): Promise<{ status: number; body: Body; headers: Headers }> {
  const response = await fetch(server.url + path, init);
  return { status: response.status, body: (await response.json()) as Body, headers: response.headers };
}
const post = (path: string, body: unknown, headers = {}) =>
  call(path, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  });
const enrol = (user = 'ada', key = 'k1') =>
  post(`/lms/enrolments/${user}`, { mode: 'verified' }, { 'idempotency-key': key });

describe('a fake server', () => {
  test('plays each fake below the name of its extension', async () => {
    expect(await enrol()).toMatchObject({ status: 201, body: { user: 'ada' } });
    expect(await call('/lms/courses/')).toMatchObject({ status: 200, body: { courses: [] } });
    expect(server.environment()).toEqual({ LMS_URL: `${server.url}/lms`, PAY_URL: `${server.url}/pay/v1` });
  });

  test('decodes path parameters and reads forms', async () => {
    expect(await enrol('ada%20l')).toMatchObject({ body: { user: 'ada l' } });
    const form = await call('/pay/v1/refunds', { method: 'POST', body: new URLSearchParams('a=1&b=2&b=3') });
    expect(form.body).toEqual({ a: '1', b: ['2', '3'] });
  });

  test('records the calls with method, path, headers and body', async () => {
    await enrol();
    expect(server.requests('lms.enrol')).toEqual([
      expect.objectContaining({
        extension: 'lms',
        method: 'POST',
        path: '/enrolments/ada',
        body: { mode: 'verified' },
        headers: expect.objectContaining({ 'idempotency-key': 'k1' }),
        fault: undefined,
      }),
    ]);
    expect(server.requests('pay.refund')).toEqual([]);
  });

  test('books an effect once and counts its repeats', async () => {
    await enrol('ada', 'k1');
    await enrol('ada', 'k1');
    await enrol('bob', 'k2');
    expect(server.ledger({ subject: 'user:ada' })).toEqual([
      expect.objectContaining({ effect: 'lms.enrol', idempotencyKey: 'k1', repeats: 1, request: { mode: 'verified' } }),
    ]);
    const { body } = await call('/__ledger?effect=lms.enrol&subject=');
    expect(body.effects).toHaveLength(2);
    expect(new Date(body.effects[0]!.at).toISOString()).toBe(body.effects[0]!.at);
    expect((await call('/__ledger?effect=lms.unenrol')).body).toEqual({ effects: [] });
  });

  test('says which routes there are when none fits', async () => {
    const { status, body, headers } = await call('/lms/enrolments');
    expect(status).toBe(404);
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(body.detail).toContain('POST /lms/enrolments/:user (lms.enrol)');
    expect(await call('/lms/courses/', { method: 'POST' })).toMatchObject({ status: 405 });
    expect((await call('/__legder')).body.detail).toContain('/__ledger');
    expect(await call('/__ledger', { method: 'DELETE' })).toMatchObject({ status: 405 });
  });

  test('refuses a body that is not the JSON it claims to be', async () => {
    const init = { method: 'POST', body: '{', headers: { 'content-type': 'application/json' } };
    expect(await call('/lms/enrolments/ada', init)).toMatchObject({ status: 400 });
    expect(server.ledger()).toEqual([]);
  });

  test('resolves a wait with the effect that it waited for, and says what happened instead', async () => {
    const second = server.waitForEffect('lms.enrol', 2);
    const request = server.waitForRequest('lms.enrol');
    await enrol('ada', 'k1');
    await enrol('bob', 'k2');
    expect((await second).subject).toBe('user:bob');
    expect((await request).path).toBe('/enrolments/ada');
    await expect(server.waitForEffect('pay.refund', 1, 1)).rejects.toThrow('the effects are: lms.enrol, lms.enrol');
    await expect(server.waitForRequest('pay.refund', 1, 1)).rejects.toThrow('the calls are: lms.enrol, lms.enrol');
  });

  test('is ready, alive, and explains itself', async () => {
    expect(await call('/readyz')).toMatchObject({ status: 200 });
    expect(await call('/livez')).toMatchObject({ status: 200 });
    expect((await call('/')).body.routes).toContain('POST /pay/v1/refunds (pay.refund)');
  });
});

describe('fault switches', () => {
  test('a status hits the next calls, without effect and with Retry-After, and then heals', async () => {
    await post('/__fault', { route: 'lms.enrol', mode: '503', count: 2, retryAfter: 7 });
    const first = await enrol();
    expect(first.status).toBe(503);
    expect(first.headers.get('retry-after')).toBe('7');
    expect((await enrol()).status).toBe(503);
    expect(server.ledger()).toEqual([]);
    expect((await enrol()).status).toBe(201);
    expect(server.requests().map(({ fault }) => fault)).toEqual(['503', '503', undefined]);
  });

  test('a number does as a mode, and faults of one route follow each other', async () => {
    await post('/__fault', { route: 'lms.enrol', mode: 429 });
    server.fail({ route: 'lms.enrol', mode: '400' });
    expect([(await enrol()).status, (await enrol()).status, (await enrol()).status]).toEqual([429, 400, 201]);
  });

  test('* hits every route, after the faults of the route itself', async () => {
    server.fail({ route: '*', mode: '500', count: 2 });
    server.fail({ route: 'lms.enrol', mode: '409' });
    expect([(await enrol()).status, (await enrol()).status]).toEqual([409, 500]);
    expect((await call('/lms/courses/')).status).toBe(500);
    expect((await call('/lms/courses/')).status).toBe(200);
  });

  test('a window hits all calls until it is over or the faults are switched off', async () => {
    server.fail({ route: 'lms.enrol', mode: '503', forMs: 60_000 });
    for (let i = 0; i < 5; i++) expect((await enrol()).status).toBe(503);
    expect(await call('/__fault', { method: 'DELETE' })).toMatchObject({ body: { faults: [] } });
    expect((await enrol()).status).toBe(201);
    server.fail({ route: 'lms.enrol', mode: '503', forMs: 0 });
    expect((await enrol()).status).toBe(200);
  });

  test('timeout never answers and has no effect', async () => {
    server.fail({ route: 'lms.enrol', mode: 'timeout' });
    const abort = new AbortController();
    const hanging = fetch(`${server.url}/lms/enrolments/ada`, { method: 'POST', signal: abort.signal });
    await server.waitForRequest('lms.enrol');
    abort.abort();
    await expect(hanging).rejects.toThrow('aborted');
    expect(server.ledger()).toEqual([]);
  });

  test('closing the server ends the calls that time out', async () => {
    server.fail({ route: 'lms.enrol', mode: 'timeout' });
    const hanging = expect(enrol()).rejects.toThrow('fetch failed');
    await server.waitForRequest('lms.enrol');
    await server.close();
    await hanging;
  });

  test('reset breaks the connection before the effect, dropResponseAfterEffect after it', async () => {
    server.fail({ route: 'lms.enrol', mode: 'reset' });
    await expect(enrol()).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } });
    expect(server.ledger()).toEqual([]);
    server.fail({ route: 'lms.enrol', mode: 'dropResponseAfterEffect' });
    await expect(enrol()).rejects.toThrow('fetch failed');
    expect(server.ledger()).toHaveLength(1);
  });

  test('slow answers after its delay, and does nothing for a caller that has gone', async () => {
    server.fail({ route: 'lms.enrol', mode: 'slow', delayMs: 30, count: 2 });
    const startedAt = performance.now();
    expect((await enrol()).status).toBe(201);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(29);
    const abort = new AbortController();
    const gone = fetch(`${server.url}/lms/enrolments/bob`, { method: 'POST', signal: abort.signal });
    await server.waitForRequest('lms.enrol', 2);
    abort.abort();
    await expect(gone).rejects.toThrow('aborted');
    server.fail({ route: 'lms.course', mode: 'slow', delayMs: 60 });
    await call('/lms/courses/');
    expect(server.ledger({ subject: 'user:bob' })).toEqual([]);
  });

  test('an unknown route or mode is refused with the list of the known ones', async () => {
    const route = await post('/__fault', { route: 'lms.enroll', mode: '503' });
    expect(route).toMatchObject({
      status: 400,
      body: { detail: expect.stringContaining('lms.enrol, lms.course, pay.refund') },
    });
    const mode = await post('/__fault', { route: 'lms.enrol', mode: 'dead' });
    expect(mode).toMatchObject({ status: 400, body: { detail: expect.stringContaining('timeout, reset, slow') } });
    expect((await post('/__fault', { route: 'lms.enrol', mode: '503', count: 'x' })).body.detail).toContain('"count"');
    expect(() => server.fail({ route: 'lms.enrol', mode: '99' })).toThrow('There is no mode "99"');
    expect((await post('/__fault', [])).body.detail).toBe('The body must be a JSON object');
    expect((await call('/__fault')).body).toEqual({ faults: [] });
  });

  test('a reset forgets effects, calls and faults', async () => {
    await enrol();
    server.fail({ route: '*', mode: '503' });
    await post('/__reset', {});
    expect([server.ledger(), server.requests(), server.faults()]).toEqual([[], [], []]);
    expect((await enrol()).status).toBe(201);
  });
});

describe('webhooks', () => {
  const received: { signature: string; body: string }[] = [];
  let api: Server;
  let sandbox: FakeServer;

  beforeEach(async () => {
    received.length = 0;
    api = createServer(async (request, response) => {
      const body = Buffer.concat(await request.toArray()).toString();
      received.push({ signature: String(request.headers.signature), body });
      response.statusCode = request.headers.signature === 'right' ? 202 : 401;
      response.end(JSON.stringify({ copy: received.length }));
    });
    await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
    const apiUrl = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
    sandbox = await startFakeServer({ fakes: { lms, pay }, apiUrl });
  });
  afterEach(async () => {
    await sandbox.close();
    api.closeAllConnections();
    await new Promise((resolve) => api.close(resolve));
  });
  const send = async (extension: string, body: unknown) => {
    const response = await fetch(`${sandbox.url}/__send/${extension}`, { method: 'POST', body: JSON.stringify(body) });
    return { status: response.status, body: (await response.json()) as Body };
  };

  test('are signed, sent as often as asked, and answered copy by copy', async () => {
    const answers = await send('pay', { type: 'refund', duplicate: 2 });
    expect(answers.body.answers).toEqual([
      { status: 202, body: { copy: 1 } },
      { status: 202, body: { copy: 2 } },
    ]);
    expect(received).toEqual(Array(2).fill({ signature: 'right', body: '{"type":"refund"}' }));
  });

  test('can come all at once', async () => {
    const answers = await send('pay', { duplicate: 20, concurrent: true });
    expect(answers.body.answers).toHaveLength(20);
    expect(received).toHaveLength(20);
  });

  test('can be signed wrongly', async () => {
    expect((await send('pay', { badSignature: true })).body.answers).toEqual([{ status: 401, body: { copy: 1 } }]);
  });

  test('of an extension that sends none are refused with the ones that do', async () => {
    const { status, body } = await send('lms', {});
    expect(status).toBe(404);
    expect(body.detail).toBe('"lms" sends no webhooks; these do: pay');
    expect((await send('pay', { duplicate: 0 })).body.detail).toContain('from 1 to 1000');
    const unheardOf = await send('pay', { type: 'unheard-of' });
    expect([unheardOf.status, unheardOf.body.detail]).toEqual([400, 'The fake makes no webhook of this: no such type']);
  });

  test('to an API that is not there say where it was looked for', async () => {
    api.closeAllConnections();
    await new Promise((resolve) => api.close(resolve));
    const { status, body } = await send('pay', {});
    expect(status).toBe(502);
    expect(body.detail).toMatch(/\/webhooks\/pay cannot be reached: .*ECONNREFUSED/);
    expect((await post('/__send/pay', {})).body.detail).toContain('without the URL of the API');
  });
});
