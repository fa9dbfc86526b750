import { describe, expect, test } from '@jest/globals';
import { silentLogger } from '@coordinator/logging';
import type { Receipt } from '@coordinator/tasks';
import { z } from 'zod';
import { acceptRequest } from './accept-request.ts';
import { signature, webhook, type RouteContext } from './route.ts';

const receipt: Receipt = { jobId: 'j1', task: 'shop.notify', state: 'waiting', duplicate: false };
const context = { caller: 'shop', idempotencyKey: undefined, log: silentLogger } as unknown as RouteContext;

const accepted: unknown[] = [];
const route = webhook({
  path: '/webhooks/shop',
  summary: 'What happened in the shop',
  auth: signature((rawBody, headers) => {
    if (headers['x-signature'] !== String(rawBody.length)) throw new Error('wrong');
  }),
  body: z.strictObject({ id: z.string() }),
  accept: async (body) => {
    accepted.push(body);
    return [receipt];
  },
});

const send = (body: string | Buffer, headers: Record<string, string> = {}) => {
  const rawBody = Buffer.from(body);
  return acceptRequest(route, { rawBody, headers: { 'x-signature': String(rawBody.length), ...headers }, context });
};

describe('a webhook', () => {
  test('with a good signature and a fitting body is accepted', async () => {
    await expect(send('{"id":"a"}')).resolves.toEqual([receipt]);
    expect(accepted).toEqual([{ id: 'a' }]);
  });

  test('with a bad signature is refused before its body is read, however broken that is', async () => {
    await expect(send('{{{', { 'x-signature': 'no' })).rejects.toMatchObject({ code: 'COORD_SIGNATURE_INVALID' });
  });

  test.each([
    ['no body', '', 'COORD_BODY_REQUIRED'],
    ['broken JSON', '{"id":', 'COORD_BODY_MALFORMED'],
    ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'COORD_BODY_MALFORMED'],
    ['an array', '[]', 'COORD_BODY_INVALID'],
    ['a field of another type', '{"id":7}', 'COORD_BODY_INVALID'],
    ['a field too many', '{"id":"a","admin":true}', 'COORD_BODY_INVALID'],
  ])('with %s is refused', async (_what, body, code) => {
    await expect(send(body)).rejects.toMatchObject({ code });
  });

  test('is told which field is wrong, and never what it holds', async () => {
    const refusal: unknown = await send('{"id":["4242424242424242"]}').catch((error: unknown) => error);
    expect(refusal).toMatchObject({ faults: [expect.stringMatching(/^id: /)] });
    expect(JSON.stringify(refusal)).not.toContain('4242');
  });
});
