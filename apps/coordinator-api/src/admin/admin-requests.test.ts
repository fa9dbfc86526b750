import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { AdminScope } from '@coordinator/config';
import { leakChecks, privateRedis } from '@coordinator/task-testing';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RawConnection, type RawAnswer } from '../fixtures/raw-connection.ts';
import { adminRequest, MARKER, type RequestChange } from '../fixtures/raw-request.ts';
import { ADMIN_TOKENS, startAdmin, type RunningAdmin } from '../fixtures/running-admin.ts';
import { TOKENS } from '../fixtures/running-api.ts';
import { pathOf } from './admin-app.ts';
import { adminRoutes, type AdminParts } from './admin-routes.ts';

const PREFIX = '{hostile}';

let admin: RunningAdmin;
const connections: RawConnection[] = [];
afterAll(async () => {
  for (const connection of connections) connection.end();
  await admin.close();
});
const redis = privateRedis();
leakChecks(redis);
// One process for all rows: what one row breaks, the next ones see.
beforeAll(async () => {
  admin = await startAdmin({ redisUrl: redis.url, prefix: PREFIX });
});
afterEach(() => redis.command('DEL', `${PREFIX}:audit-log`));

async function send(bytes: string | Buffer): Promise<RawAnswer> {
  const connection = new RawConnection(admin.port).write(bytes);
  connections.push(connection);
  const [answer] = await connection.answered();
  return answer!;
}

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

/** Every route, with something in the place of what is variable. */
const routes = adminRoutes({} as AdminParts).map((route) => ({
  name: `${route.method} ${pathOf(route)}`,
  scope: route.scope,
  request: (change: RequestChange = {}) =>
    adminRequest({
      ...{ method: route.method, path: pathOf(route).replaceAll(/\{\w+\}/g, MARKER) },
      ...(route.method === 'POST' ? { body: JSON.stringify({ why: MARKER }) } : {}),
      ...change,
    }),
}));

function expectProblem({ status, headers, body }: RawAnswer, expected: number, code: string): void {
  expect([status, headers.get('content-type')]).toEqual([expected, 'application/problem+json']);
  expect(Object.fromEntries(headers)).toMatchObject({
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  expect(headers.has('x-powered-by')).toBe(false);
  // The answer to a HEAD.
  if (body !== '') expect(JSON.parse(body)).toMatchObject({ status, code, requestId: expect.any(String) });
  expect(body).not.toMatch(new RegExp(`${MARKER}|\\.(js|ts):\\d|node_modules|ZodError|SyntaxError`, 'i'));
}

test('the routes are those of docs/reference/admin-api.md, each with its scope', () => {
  const reference = readFileSync(join(__dirname, '../../../../docs/reference/admin-api.md'), 'utf8');
  const rows = Array.from(reference.matchAll(/^\| `((?:GET|POST) [^`?]+)[^`]*` +\| (\w+) +\|/gm), ([, name, scope]) => [
    name,
    scope,
  ]);
  expect(rows.sort()).toEqual(routes.map(({ name, scope }) => [name, scope]).sort());
});

describe.each(routes)('$name', ({ name, scope, request }) => {
  test.each([
    ['no credentials', undefined],
    ['a token that is none', `Bearer ${MARKER}`],
    ['another scheme', 'Basic YWxpY2U6YWxpY2UtdG9rZW4='],
    ['a token and more', 'Bearer alice-token, Bearer alice-token'],
  ])('with %s is refused, and nothing is written down', async (_, authorization) => {
    const answer = await send(request({ headers: { authorization } }));
    expectProblem(answer, 401, 'COORD_UNAUTHORIZED');
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    expect(await admin.audited()).toEqual([]);
  });

  test('is not opened by a token in the query', async () => {
    const { name: path } = { name: name.split(' ')[1]!.replaceAll(/\{\w+\}/g, MARKER) };
    const query = '?token=alice-token&access_token=alice-token';
    const answer = await send(request({ path: `${path}${query}`, headers: { authorization: undefined } }));
    expectProblem(answer, 401, 'COORD_UNAUTHORIZED');
  });

  test('is refused to a caller of the API, and that is written down', async () => {
    expectProblem(await send(request(bearer(TOKENS.shop))), 403, 'COORD_FORBIDDEN');
    expect(await admin.audited()).toMatchObject([
      {
        by: 'shop (a caller of the API)',
        action: 'refuse',
        object: name,
        why: 'a token of a caller opens nothing here',
      },
    ]);
  });

  test('is refused to all who lack its scope alone, and that is written down', async () => {
    const lacking = Object.entries(ADMIN_TOKENS).filter(
      ([, { scopes }]) => !(scopes as readonly AdminScope[]).includes(scope),
    );
    expect(lacking.length).toBeGreaterThan(1);
    for (const [by, { secret }] of lacking) {
      expectProblem(await send(request(bearer(secret))), 403, 'COORD_FORBIDDEN');
      const why = `this token lacks the scope ${scope}`;
      expect((await admin.audited())[0]).toMatchObject({ by, action: 'refuse', object: name, why, release: '1.2.3' });
    }
    const [, { secret }] = Object.entries(ADMIN_TOKENS).find(
      ([, { scopes }]) => scopes.length === 1 && scopes[0] === scope,
    )!;
    expect([200, 400, 404, 422]).toContain((await send(request(bearer(secret)))).status);
  });

  test('takes no other method, and no other protocol', async () => {
    const allow = name.startsWith('GET') ? 'GET, HEAD' : 'POST';
    for (const method of ['PUT', 'DELETE', 'PATCH', 'TRACE', 'OPTIONS', allow === 'POST' ? 'GET' : 'POST']) {
      const answer = await send(request({ method }));
      expectProblem(answer, 405, 'COORD_METHOD_NOT_ALLOWED');
      expect(answer.headers.get('allow')).toBe(allow);
    }
    const upgrade = { connection: 'upgrade', upgrade: 'websocket' };
    expect((await send(request({ headers: upgrade }))).headers.get('connection')).toBe('close');
  });
});

const HEAD = 'GET /admin/v1/queues HTTP/1.1\r\nHost: a\r\n';
const cancel = (change: RequestChange) =>
  adminRequest({ method: 'POST', path: '/admin/v1/jobs/j1/cancel', body: '{"why":"x"}', ...change });
const json = (body: string | Buffer) => cancel({ body });

describe.each([
  ['no host', adminRequest({ path: '/admin/v1/queues', headers: { host: undefined } }), 400, 'COORD_REQUEST_MALFORMED'],
  [
    'two hosts',
    adminRequest({ path: '/admin/v1/queues', headers: { host: ['a', 'b'] } }),
    400,
    'COORD_REQUEST_MALFORMED',
  ],
  ['101 headers', `${HEAD}${'X: y\r\n'.repeat(100)}\r\n`, 431, 'COORD_HEADERS_TOO_LARGE'],
  ['a header over 16 KiB', `${HEAD}X: ${MARKER.repeat(2_000)}\r\n\r\n`, 431, 'COORD_HEADERS_TOO_LARGE'],
  ['no HTTP', `${HEAD}X : y\r\n\r\n`, 400, 'COORD_REQUEST_MALFORMED'],
  [
    'two credentials',
    adminRequest({ path: '/admin/v1/queues', headers: { authorization: ['Bearer a', 'Bearer b'] } }),
    400,
    'COORD_REQUEST_MALFORMED',
  ],
  ['a path that cannot be decoded', adminRequest({ path: '/admin/v1/jobs/%zz' }), 400, 'COORD_PATH_INVALID'],
  ['a path of 10 kB', adminRequest({ path: `/admin/v1/jobs/${MARKER.repeat(1_100)}` }), 414, 'COORD_PATH_TOO_LONG'],
  ['a path that is none', adminRequest({ path: '/admin/v1/__proto__' }), 404, 'COORD_NOT_FOUND'],
  ['the path of another version', adminRequest({ path: '/admin/v2/queues' }), 404, 'COORD_NOT_FOUND'],
  ['the path of the API', adminRequest({ path: '/v1/jobs/j1' }), 404, 'COORD_NOT_FOUND'],
  ['a query that is not known', adminRequest({ path: `/admin/v1/queues?${MARKER}=1` }), 400, 'COORD_QUERY_INVALID'],
  ['a query twice', adminRequest({ path: '/admin/v1/dead-letters?task=a&task=b' }), 400, 'COORD_QUERY_INVALID'],
  ['a query without a value', adminRequest({ path: '/admin/v1/dead-letters?task=' }), 400, 'COORD_QUERY_INVALID'],
  ['a query with U+0000', adminRequest({ path: '/admin/v1/dead-letters?task=%00' }), 400, 'COORD_QUERY_INVALID'],
  ['an expectation that nobody has', cancel({ headers: { expect: MARKER } }), 417, 'COORD_EXPECTATION_FAILED'],
  ['another content type', cancel({ headers: { 'content-type': 'text/plain' } }), 415, 'COORD_CONTENT_TYPE'],
  ['a compressed body', cancel({ headers: { 'content-encoding': 'gzip' } }), 415, 'COORD_CONTENT_TYPE'],
  ['no body', cancel({ body: '' }), 400, 'COORD_BODY_REQUIRED'],
  ['a body of 17 kB', json(JSON.stringify({ why: 'x'.repeat(17_000) })), 413, 'COORD_BODY_TOO_LARGE'],
  ['no JSON', json('{"why":'), 400, 'COORD_BODY_MALFORMED'],
  ['a name twice', json('{"why":"a","why":"b"}'), 400, 'COORD_BODY_DUPLICATE_NAME'],
  ['__proto__', json('{"why":"a","__proto__":{}}'), 400, 'COORD_BODY_MALFORMED'],
  ['65 levels', json(`{"why":${'['.repeat(65)}${']'.repeat(65)}}`), 400, 'COORD_BODY_TOO_DEEP'],
  ['no UTF-8', json(Buffer.from('{"why":"\xff"}', 'latin1')), 400, 'COORD_BODY_MALFORMED'],
  ['a member that is not known', json(`{"why":"a","${MARKER}":1}`), 422, 'COORD_BODY_INVALID'],
  ['no reason', json('{}'), 422, 'COORD_BODY_INVALID'],
  ['a reason of nothing', json('{"why":"  "}'), 422, 'COORD_BODY_INVALID'],
  ['a reason of 501 characters', json(JSON.stringify({ why: 'x'.repeat(501) })), 422, 'COORD_BODY_INVALID'],
  ['a reason that is none', json('{"why":7}'), 422, 'COORD_BODY_INVALID'],
] as const)('%s', (_, bytes, status, code) => {
  test(`is answered ${status}, and changes nothing`, async () => {
    expectProblem(await send(bytes), status, code);
    expect(await admin.audited()).toEqual([]);
    expect((await send(adminRequest({ path: '/livez' }))).status).toBe(200);
  });
});

test('probes and metrics need no token, and tell nothing of the admin API', async () => {
  for (const path of ['/livez', '/readyz', '/version', '/metrics']) {
    expect((await send(adminRequest({ path, headers: { authorization: undefined } }))).status).toBe(200);
  }
});

test('refusals of one token that come in masses are counted, and do not fill Redis', async () => {
  const refused = adminRequest({ path: '/admin/v1/queues', ...bearer(ADMIN_TOKENS.operator.secret) });
  for (let i = 0; i < 60; i += 1) expect((await send(refused)).status).toBe(403);
  const written = await admin.audited();
  expect(written.length).toBeLessThan(60);
  expect(written.length).toBeGreaterThan(5);
});
