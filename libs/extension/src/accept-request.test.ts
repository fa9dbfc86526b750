import { describe, expect, test } from '@jest/globals';
import { createLogger, noPii, pii, silentLogger } from '@coordinator/logging';
import { RecordingLog } from '@coordinator/task-testing';
import { CoordinatorError, type Receipt } from '@coordinator/tasks';
import { z } from 'zod';
import { acceptRequest, type ReceivedRequest } from './accept-request.ts';
import { apiRoute, bearerToken, signature, webhook } from './route.ts';

const receipt: Receipt = { jobId: 'j1', task: 'shop.notify', state: 'waiting', duplicate: false };
const context = {
  caller: 'shop',
  idempotencyKey: undefined,
  log: silentLogger,
} as unknown as ReceivedRequest['context'];

const accepted: unknown[] = [];
const route = webhook({
  path: '/webhooks/shop',
  summary: 'What happened in the shop',
  auth: signature((rawBody, headers) => {
    if (headers['x-signature'] === '')
      throw new CoordinatorError('COORD_SIGNATURE_MALFORMED', 'There is nothing in it');
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

  test('with a header that its provider would not write is refused as malformed', async () => {
    await expect(send('{}', { 'x-signature': '' })).rejects.toMatchObject({ code: 'COORD_SIGNATURE_MALFORMED' });
  });

  test.each(['enqueue', 'enqueueAll', 'emit'] as const)(
    'is refused when its %s would store a card number, and the log says so and not which',
    async (method) => {
      const log = new RecordingLog();
      const stored: unknown[] = [];
      const keep = async (...args: unknown[]) => {
        stored.push(args);
        return [receipt];
      };
      const queue = { enqueue: keep, enqueueAll: keep, emit: keep };
      const storing = webhook({
        ...route,
        path: '/webhooks/shop',
        body: z.strictObject({ id: z.string() }),
        auth: signature(() => undefined),
        accept: async ({ id: text }, { queue: checked }) => {
          const puts = checked as unknown as typeof queue;
          return method === 'enqueueAll'
            ? puts.enqueueAll([{ payload: { text }, options: {} }])
            : puts[method]({}, { text });
        },
      });
      const sent = (body: string) =>
        acceptRequest(storing, {
          rawBody: Buffer.from(body),
          headers: {},
          context: { ...context, queue: queue as unknown as ReceivedRequest['context']['queue'], log },
        });
      await expect(sent('{"id":"4242 4242 4242 4242"}')).rejects.toMatchObject({ code: 'COORD_BODY_INVALID' });
      expect(stored).toEqual([]);
      expect(log.lines).toEqual([
        expect.objectContaining({ level: 'warn', fields: { caller: context.caller, why: expect.any(String) } }),
      ]);
      expect(JSON.stringify(log.lines)).not.toContain('4242');
      await expect(sent('{"id":"pi_1"}')).resolves.toEqual([receipt]);
      expect(stored).toHaveLength(1);
    },
  );

  test.each(['\\u0000', '\\ud800'])('is refused when its event would be kept under the key %s', async (id) => {
    const keyed = webhook({
      ...route,
      path: '/webhooks/shop',
      body: z.object({ id: z.string() }),
      auth: signature(() => undefined),
      accept: async ({ id: idempotencyKey }, { queue }) => [
        await queue.enqueue({} as never, {} as never, { idempotencyKey }),
      ],
    });
    const queue = { enqueue: async () => receipt } as unknown as ReceivedRequest['context']['queue'];
    const sent = (body: string) =>
      acceptRequest(keyed, { rawBody: Buffer.from(body), headers: {}, context: { ...context, queue } });
    await expect(sent(`{"id":"${id}"}`)).rejects.toMatchObject({ code: 'COORD_BODY_INVALID' });
    await expect(sent(`{"id":"evt_1","note":"${id}"}`)).resolves.toEqual([receipt]);
  });

  test('has keys of its own: the same event id of another provider is another event', async () => {
    const keys: unknown[] = [];
    const keep = async (...args: unknown[]) => {
      keys.push((args.at(-1) as { idempotencyKey: string }).idempotencyKey);
      return [receipt];
    };
    const queue = { emit: keep, enqueue: keep } as unknown as ReceivedRequest['context']['queue'];
    for (const path of ['/webhooks/shop', '/webhooks/other'] as const) {
      const emitting = webhook({
        ...route,
        path,
        body: z.object({ id: z.string() }),
        auth: signature(() => undefined),
        accept: async ({ id: idempotencyKey }, { queue: scoped }) =>
          scoped.emit({} as never, {} as never, { idempotencyKey }),
      });
      const body = Buffer.from('{"id":"evt_1"}');
      await acceptRequest(emitting, { rawBody: body, headers: {}, context: { ...context, queue } });
    }
    expect(keys).toEqual(['/webhooks/shop:evt_1', '/webhooks/other:evt_1']);
  });

  test('may say what looks like a card number and is not stored: its provider could not mend that', async () => {
    await expect(send('{"id":"4242424242424242"}')).resolves.toEqual([receipt]);
  });
});

describe('a refusal', () => {
  const prices = apiRoute({
    path: '/v1/prices',
    summary: 'Set prices',
    auth: bearerToken(),
    body: z.strictObject({ id: z.string().max(40), byRegion: z.record(z.string().max(9), z.int()).optional() }),
    accept: async () => [receipt],
  });
  const refusalOf = (body: string) =>
    acceptRequest(prices, { rawBody: Buffer.from(body), headers: {}, context }).then(
      () => undefined,
      (error: unknown) => error as CoordinatorError,
    );

  test('tells the place of a fault, and no name that the caller has chosen', async () => {
    const refusal = await refusalOf('{"id":"a","byRegion":{"secret":"x","much too long":1},"hidden":1}');
    expect(refusal?.faults).toEqual([
      'byRegion.*: Invalid input: expected number, received string',
      'byRegion.*: Invalid key in record',
      'body: It has members that the schema does not know',
    ]);
  });

  test('comes for the number of a payment card, wherever it stands, and does not repeat it', async () => {
    const refusal = await refusalOf('{"id":"card 4242 4242 4242 4242"}');
    expect(refusal).toMatchObject({ code: 'COORD_BODY_INVALID' });
    expect(`${refusal?.message} ${refusal?.faults.join()}`).not.toContain('4242');
    expect(await refusalOf('{"id":"a","byRegion":{"eu":4242424242424242}}')).toMatchObject({
      code: 'COORD_BODY_INVALID',
    });
  });
});

test('a mistake in a route is logged without the personal data of the body, and told as ours', async () => {
  const lines: string[] = [];
  const log = createLogger({ service: 's', release: 'r', destination: { write: (line) => void lines.push(line) } });
  const body = z.strictObject({ name: pii(z.string().max(40), 'name', 'local_api'), sku: noPii(z.string().max(40)) });
  const careless = apiRoute({
    path: '/v1/parcels',
    summary: 'Send a parcel',
    auth: bearerToken(),
    body,
    accept: async ({ name, sku }) => {
      log.info({ name, to: name }, `${sku} for ${name}`);
      throw new TypeError(`${name} cannot have ${sku}`);
    },
  });
  const rawBody = Buffer.from('{"name":"Canary Birdwood","sku":"mug-blue"}');
  const queue = { for: () => queue } as unknown as ReceivedRequest['context']['queue'];
  const refusal = acceptRequest(careless, { rawBody, headers: {}, context: { ...context, log, queue } });
  await expect(refusal).rejects.toMatchObject({ code: 'COORD_INTERNAL', message: 'The coordinator failed' });
  expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
    'mug-blue for [redacted]',
    'a route failed',
  ]);
  expect(lines[1]).toContain('[redacted] cannot have mug-blue');
  expect(lines.join()).not.toContain('Birdwood');
});
