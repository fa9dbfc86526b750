import { silentLogger } from '@coordinator/logging';
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { leakChecks, privateRedis } from '@coordinator/task-testing';
import { JwtFile, JwtIssuer } from './fixtures/jwt-issuer.ts';
import { MARKER, orderBody, stripeSignature } from './fixtures/raw-request.ts';
import { startApi, TOKENS, type RunningApi } from './fixtures/running-api.ts';

const redis = privateRedis();
leakChecks(redis);

const issuer = new JwtIssuer();
const jwtFile = new JwtFile(issuer.publicJwk);
afterAll(() => jwtFile.remove());
let prefix: string;
let api: RunningApi;
beforeEach(async () => {
  prefix = redis.freshPrefix();
  api = await startApi({ redisUrl: redis.url, prefix, jwt: jwtFile.check({ log: silentLogger }) });
});
afterEach(() => api.close());

type Caller = keyof typeof TOKENS;
interface Answer {
  readonly status: number;
  readonly body: {
    readonly jobs: readonly [{ readonly jobId: string }];
    readonly items: readonly { readonly jobId: string }[];
    readonly cursor: string | null;
    readonly code: string;
    readonly requestId: string;
  };
}

async function ask(path: string, { caller = 'shop' as Caller, ...init }: RequestInit & { caller?: Caller } = {}) {
  const headers = { authorization: `Bearer ${TOKENS[caller]}`, connection: 'close', ...init.headers };
  const answer = await fetch(`${api.url}${path}`, { ...init, headers });
  return { status: answer.status, body: await answer.json() } as Answer;
}

const json = { 'content-type': 'application/json' };

/** Places an order under a key of its own; returns the id of its job. */
async function place(caller: Caller = 'shop', orderNumber = 'D-1001'): Promise<string> {
  const headers = { ...json, 'idempotency-key': crypto.randomUUID() };
  const body = orderBody().replace('D-1001', orderNumber);
  return (await ask('/v1/orders', { caller, method: 'POST', headers, body })).body.jobs[0].jobId;
}

const timeline = (query = '', caller: Caller = 'shop') => ask(`/v1/subjects/order:D-1001/jobs${query}`, { caller });
const idsOf = ({ body }: Answer) => body.items.map(({ jobId }) => jobId);
/** Changes what is stored as the envelope of a job. */
const store = (jobId: string, envelope: string) =>
  redis.command('HSET', `${prefix}:job:${jobId}`, 'envelope', envelope);
const envelopeOf = async (jobId: string) =>
  JSON.parse((await redis.command('HGET', `${prefix}:job:${jobId}`, 'envelope')) as string) as Record<string, unknown>;

describe('a job', () => {
  test('is there for the caller whose request it came from, and for no other', async () => {
    const jobId = await place('shop');
    expect(await ask(`/v1/jobs/${jobId}`)).toMatchObject({ status: 200, body: { jobId } });

    const foreign = await ask(`/v1/jobs/${jobId}`, { caller: 'other-shop' });
    const unknown = await ask(`/v1/jobs/${crypto.randomUUID()}`, { caller: 'other-shop' });
    expect(foreign.status).toBe(404);
    expect({ ...foreign.body, requestId: '' }).toEqual({ ...unknown.body, requestId: '' });
  });

  test('is left out of the timeline that another caller reads', async () => {
    const [own, others] = [await place('shop'), await place('other-shop')];
    expect([idsOf(await timeline()), idsOf(await timeline('', 'other-shop'))]).toEqual([[own], [others]]);
  });

  test('of a JWT is there for its subject, and not for a token of that name', async () => {
    const jwt = (sub: string) => ({ authorization: `Bearer ${issuer.token({ claims: { sub } })}` });
    const headers = { ...json, ...jwt('shop') };
    const { body } = await ask('/v1/orders', { method: 'POST', headers, body: orderBody() });
    const path = `/v1/jobs/${body.jobs[0].jobId}`;
    const seen = [jwt('shop'), jwt('other-shop'), {}].map((shown) => ask(path, { headers: shown }));
    expect((await Promise.all(seen)).map(({ status }) => status)).toEqual([200, 404, 404]);
  });

  test('of a webhook is there for every caller', async () => {
    const body = JSON.stringify({ id: 'evt_1', type: 'payout.paid', created: 1_767_400_000 });
    const headers = { ...json, 'stripe-signature': stripeSignature(body) };
    const { jobs } = (await ask('/webhooks/stripe', { method: 'POST', headers, body })).body;
    for (const caller of ['shop', 'other-shop'] as const) {
      expect(await ask(`/v1/jobs/${jobs[0].jobId}`, { caller })).toMatchObject({ status: 200 });
    }
  });

  test('that was accepted before callers were written down is there for every caller', async () => {
    const jobId = await place('shop');
    const { caller, ...old } = await envelopeOf(jobId);
    expect(caller).toBe('shop');
    await store(jobId, JSON.stringify(old));
    expect(await ask(`/v1/jobs/${jobId}`, { caller: 'other-shop' })).toMatchObject({ status: 200 });
  });

  test('of a newer release is there for its caller only', async () => {
    const jobId = await place('shop');
    await store(jobId, JSON.stringify({ ...(await envelopeOf(jobId)), v: 2 }));
    expect(await ask(`/v1/jobs/${jobId}`)).toMatchObject({ status: 200, body: { jobId, task: null } });
    expect((await ask(`/v1/jobs/${jobId}`, { caller: 'other-shop' })).status).toBe(404);
  });

  test.each(['', '{"caller":', 'null', '7'])('whose envelope is damaged is there for nobody: %j', async (envelope) => {
    const [damaged, whole] = [await place('shop'), await place('shop')];
    await store(damaged, envelope);
    expect((await ask(`/v1/jobs/${damaged}`)).status).toBe(404);
    expect(idsOf(await timeline())).toEqual([whole]);
  });
});

describe('a timeline', () => {
  test('is read page by page, from the newest, oldest first on each', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 5; i += 1) ids.push(await place());
    const first = await timeline('?limit=2');
    const second = await timeline(`?cursor=${first.body.cursor}&limit=2`);
    const last = await timeline(`?limit=2&cursor=${second.body.cursor}`);
    expect([first, second, last].map(idsOf)).toEqual([ids.slice(3), ids.slice(1, 3), ids.slice(0, 1)]);
    expect(last.body.cursor).toBeNull();
    expect(await timeline()).toMatchObject({ body: { items: ids.map((jobId) => ({ jobId })), cursor: null } });
  });

  test('shows the newest hundred when no limit is asked for', async () => {
    const jobId = await place();
    await redis.command('RPUSH', `${prefix}:subject:order:D-1001`, ...Array.from({ length: 150 }, () => jobId));
    const { body } = await timeline();
    expect([body.items.length, body.cursor]).toEqual([100, expect.any(String)]);
  });

  test('fills its pages with what the caller may read, and no cursor tells that there is more', async () => {
    const ids: string[] = [];
    for (const caller of ['other-shop', 'shop', 'other-shop', 'other-shop', 'shop', 'other-shop'] as const) {
      const jobId = await place(caller);
      if (caller === 'shop') ids.push(jobId);
    }
    expect(await timeline('?limit=2')).toMatchObject({ body: { items: [{}, {}], cursor: null } });
    const newest = await timeline('?limit=1');
    expect([idsOf(newest), idsOf(await timeline(`?limit=1&cursor=${newest.body.cursor}`))]).toEqual([
      [ids[1]],
      [ids[0]],
    ]);
  });

  test('goes on in the next answer behind more expired records than one answer reads', async () => {
    const oldest = await place();
    const gone = Array.from({ length: 2_500 }, () => crypto.randomUUID());
    await redis.command('RPUSH', `${prefix}:subject:order:D-1001`, ...gone);
    const seen: string[] = [];
    let answers = 0;
    for (let cursor: string | null = ''; cursor !== null; answers += 1) {
      const page = await timeline(`?limit=10${cursor && `&cursor=${cursor}`}`);
      seen.push(...idsOf(page));
      cursor = page.body.cursor;
    }
    expect(seen).toEqual([oldest]);
    expect(answers).toBe(3);
  });

  test('refuses the cursor of another subject', async () => {
    for (let i = 0; i < 2; i += 1) await place('shop', 'D-1002');
    await place();
    const { cursor } = (await ask('/v1/subjects/order:D-1002/jobs?limit=1')).body;
    expect(cursor).toMatch(/^[\w-]{22}$/);
    expect(await timeline(`?cursor=${cursor}`)).toMatchObject({ status: 400, body: { code: 'COORD_QUERY_INVALID' } });
  });

  test.each([
    ...['cursor=', 'cursor=0', `cursor=${MARKER}`, 'cursor=__proto__', 'cursor=AAAAAAAAAAAAAAAAAAAAAA'],
    ...['cursor=AAAAAAAAAAAAAAAAAAAAAB', `cursor=${'A'.repeat(1_500)}`, 'cursor=%00', 'cursor=../../jobs', 'cursor=*'],
    ...['cursor=AAAAAAAAAAAAAAAAAAAAAA&cursor=AAAAAAAAAAAAAAAAAAAAAA', 'limit=1&limit=1'],
    ...[
      'limit=',
      'limit=0',
      'limit=-1',
      'limit=1001',
      'limit=1e3',
      'limit=0x1',
      'limit=1.5',
      'limit=NaN',
      'limit=%201',
    ],
  ])('refuses %s', async (query) => {
    await place();
    const { status, body } = await timeline(`?${query}`);
    expect([status, body.code]).toEqual([400, 'COORD_QUERY_INVALID']);
    expect(JSON.stringify(body)).not.toContain(MARKER);
  });
});
