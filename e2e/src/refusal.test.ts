import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startStack } from '@coordinator/tools';
import { readFileSync } from 'node:fs';
import { Coordinator, type Answer } from './coordinator.ts';

let coordinator: Coordinator;

beforeAll(async () => {
  coordinator = new Coordinator(await startStack());
}, 60_000);
afterAll(() => coordinator.stack.stop());

const good = () => JSON.stringify(coordinator.newOrder());

const refusals: [what: string, status: number, code: string, send: () => Promise<Answer>][] = [
  ['truncated JSON', 400, 'COORD_BODY_MALFORMED', () => coordinator.post('/v1/orders', '{"orderNumber":"D-1')],
  ['no body', 400, 'COORD_BODY_REQUIRED', () => coordinator.post('/v1/orders', '')],
  [
    'bytes that are not UTF-8',
    400,
    'COORD_BODY_MALFORMED',
    () => coordinator.post('/v1/orders', Buffer.from([34, 255, 34])),
  ],
  ['an array', 422, 'COORD_BODY_INVALID', () => coordinator.post('/v1/orders', '[]')],
  [
    'a price that is no integer',
    422,
    'COORD_BODY_INVALID',
    () => coordinator.post('/v1/orders', good().replace('4900', '49.5')),
  ],
  [
    'a field too many',
    422,
    'COORD_BODY_INVALID',
    () => coordinator.post('/v1/orders', good().replace('{', '{"admin":true,')),
  ],
  ['a body over 256 KiB', 413, 'COORD_BODY_TOO_LARGE', () => coordinator.post('/v1/orders', ' '.repeat(262_145))],
  [
    'another content type',
    415,
    'COORD_CONTENT_TYPE',
    () => coordinator.post('/v1/orders', good(), { 'content-type': 'text/plain' }),
  ],
  ['no content type', 415, 'COORD_CONTENT_TYPE', () => coordinator.post('/v1/orders', good(), { 'content-type': '' })],
  [
    'a content encoding',
    415,
    'COORD_CONTENT_TYPE',
    () => coordinator.post('/v1/orders', good(), { 'content-encoding': 'gzip' }),
  ],
  ['no token', 401, 'COORD_UNAUTHORIZED', () => coordinator.post('/v1/orders', good(), { authorization: '' })],
  [
    'a wrong token',
    401,
    'COORD_UNAUTHORIZED',
    () => coordinator.post('/v1/orders', good(), { authorization: 'Bearer guess' }),
  ],
  [
    'an idempotency key of 300 characters',
    400,
    'COORD_IDEMPOTENCY_KEY_INVALID',
    () => coordinator.post('/v1/orders', good(), { 'idempotency-key': 'k'.repeat(300) }),
  ],
  ['another method', 405, 'COORD_METHOD_NOT_ALLOWED', () => coordinator.get('/v1/orders')],
  ['an unknown path', 404, 'COORD_NOT_FOUND', () => coordinator.get('/v1/nothing')],
  ['an unknown job', 404, 'COORD_NOT_FOUND', () => coordinator.get('/v1/jobs/__proto__')],
  ['a path that cannot be decoded', 400, 'COORD_PATH_INVALID', () => coordinator.get('/v1/jobs/%zz')],
  [
    'a webhook without a signature',
    401,
    'COORD_SIGNATURE_INVALID',
    () => coordinator.post('/webhooks/stripe', '{"id":"evt_1"}'),
  ],
];

describe('what cannot be accepted is refused with a problem, and nothing is enqueued', () => {
  test.each(refusals)('%s → %i', async (_what, status, code, send) => {
    const before = await coordinator.jobIds();
    const answer = await send();
    expect(answer).toMatchObject({
      status,
      headers: { 'content-type': 'application/problem+json' },
      body: { status, code, title: expect.any(String), requestId: expect.stringMatching(/^[0-9a-f]{32}$/) },
    });
    expect(answer.text).not.toMatch(/ at .*\.(js|ts)|node_modules|ZodError|SyntaxError/);
    expect(await coordinator.jobIds()).toEqual(before);
  });
});

// Elsewhere there is no such file to tell how a process was started.
(process.platform === 'linux' ? test : test.skip)('every process is one in which no object has a __proto__', () => {
  const { api, worker, sandbox } = coordinator.stack;
  const startedAs = [...api, ...worker, sandbox].map(({ pid }) => readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
  for (const line of startedAs) expect(line.split('\0')).toContain('--disable-proto=delete');
});

test('the API does not tell what it is made of', async () => {
  const { headers } = await coordinator.placeOrder(coordinator.newOrder());
  expect(headers).not.toHaveProperty('x-powered-by');
  expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
});
