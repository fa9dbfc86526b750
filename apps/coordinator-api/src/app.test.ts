import { afterEach, describe, expect, test } from '@jest/globals';
import { leakChecks, privateRedis } from '@coordinator/task-testing';
import { spawnSync } from 'node:child_process';
import { startApi, type RunningApiOptions } from './fixtures/running-api.ts';

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
const redis = privateRedis();
leakChecks(redis);

const order = {
  orderNumber: 'D-1001',
  currency: 'USD',
  customer: { id: '42', username: 'ada', email: 'ada@example.test' },
  lines: [
    { lineId: 'l1', kind: 'course', sku: 'course-v1:X+Y+Z', mode: 'verified', quantity: 1, unitPriceMinor: 4900 },
  ],
};

/** The API over a real Redis and real HTTP. */
async function start(change: Partial<RunningApiOptions> = {}) {
  const { url, close } = await startApi({ redisUrl: redis.url, prefix: redis.freshPrefix(), ...change });
  closing.push(close);
  const post = (body: unknown = order) =>
    fetch(`${url}/v1/orders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer shop-token', connection: 'close' },
      body: JSON.stringify(body),
    });
  const get = (path: string, authorization = 'Bearer shop-token') =>
    fetch(`${url}${path}`, { headers: { authorization, connection: 'close' } });
  return { post, get };
}

describe('the API', () => {
  test('shows a job that it has accepted', async () => {
    const { post, get } = await start();
    const { jobs, links } = (await (await post()).json()) as { jobs: [{ jobId: string }]; links: { self: string } };
    expect(await (await get(links.self)).json()).toEqual({
      jobId: jobs[0].jobId,
      task: 'orders.fulfil',
      queue: 'orders',
      state: 'waiting',
      subject: 'order:D-1001',
      attempt: 0,
      maxAttempts: 10,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      dueAt: expect.any(String),
      finishedAt: null,
      outcome: null,
      error: null,
      steps: [],
      traceId: null,
      release: '1.2.3',
      parentJobId: null,
    });
  });

  test('writes an accepted order in one round trip', async () => {
    const { post } = await start();
    await post();
    await redis.command('CONFIG', 'RESETSTAT');
    await post({ ...order, orderNumber: 'D-1002' });
    const stats = String(await redis.command('INFO', 'commandstats'));
    const calls = Array.from(stats.matchAll(/^cmdstat_(\w+):calls=(\d+)/gm), ([, name, count]) => `${name} ${count}`);
    // Commands inside the script are counted, too; over the wire comes what is neither of them nor of this test.
    const inScript = ['get', 'set', 'hset', 'rpush', 'lpush', 'hincrby', 'pexpire', 'pttl', 'time', 'llen', 'zcard'];
    const ofThisTest = ['info', 'config', 'hello', 'client', 'auth', 'select', 'ping'];
    const own = calls.filter((call) => ![...inScript, ...ofThisTest].some((name) => call.startsWith(name)));
    expect(own).toEqual(['evalsha 1']);
  });

  test('tells nobody without a token anything about jobs', async () => {
    const { get } = await start();
    const refused = await get('/v1/subjects/order:D-1001/jobs', 'Bearer guess');
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toBe('Bearer');
  });

  test('has an empty timeline for a subject without jobs', async () => {
    const { get } = await start();
    expect(await (await get('/v1/subjects/order:none/jobs')).json()).toEqual({ items: [], cursor: null });
  });

  test('tells its release, and that it is ready', async () => {
    const { get } = await start();
    expect(await (await get('/version')).json()).toEqual({ release: '1.2.3' });
    for (const probe of ['/livez', '/startupz', '/readyz']) {
      const answer = await get(probe);
      expect([probe, answer.status, await answer.json()]).toEqual([probe, 200, { status: 'ok' }]);
      expect(answer.headers.has('server')).toBe(false);
    }
  });

  test('has not started before it can say so, and may accept all the same', async () => {
    const { get, post } = await start({ started: () => false });
    const starting = await get('/startupz');
    expect([starting.status, await starting.json()]).toMatchObject([503, { code: 'COORD_QUEUE_UNAVAILABLE' }]);
    expect((await post()).status).toBe(202);
    expect((await (await start({ draining: () => true })).get('/startupz')).status).toBe(200);
  });

  test('goes on accepting while it drains, is not ready then, and closes connections', async () => {
    const { post, get } = await start({ draining: () => true });
    const accepted = await post();
    // Load balancers look away only after a while: until the port is closed, nobody is to be sent off.
    expect(accepted.status).toBe(202);
    expect(accepted.headers.get('connection')).toBe('close');
    const ready = await get('/readyz');
    expect([ready.status, ready.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await ready.json()).toMatchObject({ code: 'COORD_DRAINING' });
    expect((await get('/livez')).status).toBe(200);
  });
});

test('loading the API loads no handlers, no downstream clients of extensions and no fakes', () => {
  const script = `
    const { Registry } = require('@coordinator/extension');
    require('./src/app.ts');
    new Registry(require('@coordinator/installed-extensions').installed);
    console.log(JSON.stringify(Object.keys(require.cache)));
  `;
  const flags = ['--conditions=@coordinator/source', '--require', '@swc-node/register', '--eval', script];
  const { stdout, stderr } = spawnSync(process.execPath, flags, { cwd: `${__dirname}/..`, encoding: 'utf8' });
  const loaded = JSON.parse(stdout || `["nothing: ${stderr}"]`) as string[];
  expect(loaded.some((file) => file.endsWith('extensions/orders/src/tasks.ts'))).toBe(true);
  expect(loaded.filter((file) => /extensions\/[^/]+\/src\/(handlers\/|client\.ts|fake\.ts)/.test(file))).toEqual([]);
});
