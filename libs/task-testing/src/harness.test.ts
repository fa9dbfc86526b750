import { defineEvent, subscribe } from '@coordinator/events';
import {
  apiRoute,
  bearerToken,
  defineExtension,
  defineFake,
  serviceUrl,
  signature,
  webhook,
} from '@coordinator/extension';
import { defineTask, exponential, retryLater } from '@coordinator/tasks';
import { afterEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { expectEnqueued } from './expect-enqueued.ts';
import { fakeDownstream } from './fake-downstream.ts';
import type { FakeServer } from './fake-server.ts';
import { startHarness } from './harness.ts';

const DAY_MS = 24 * 3_600_000;

const order = z.strictObject({ orderNumber: z.string().max(64) });
const orderPlaced = defineEvent({ name: 'order.placed', data: order });
const fulfil = defineTask({ name: 'shop.fulfil', payload: order });

/** Takes orders, and announces them. */
const shop = defineExtension({
  name: 'shop',
  config: z.object({}),
  tasks: { fulfil },
  handlers: async () => ({
    fulfil: async ({ orderNumber }, context) =>
      void context.emit(orderPlaced, { orderNumber }, { idempotencyKey: orderNumber }),
  }),
  routes: () => [
    apiRoute({
      path: '/v1/orders',
      summary: 'Place an order',
      auth: bearerToken(),
      body: order,
      accept: async (body, { queue, caller, idempotencyKey }) => [
        await queue.enqueue(fulfil, body, {
          subject: `order:${body.orderNumber}`,
          idempotencyKey: `${caller}:${idempotencyKey ?? body.orderNumber}`,
        }),
      ],
    }),
    webhook({
      path: '/webhooks/shop',
      summary: 'An order from elsewhere',
      auth: signature((rawBody, headers) => {
        if (headers['x-signature'] !== `signed ${rawBody.length}`) throw new Error('not ours');
      }),
      body: order,
      accept: async (body, { queue }) => [await queue.enqueue(fulfil, body)],
    }),
  ],
  events: [orderPlaced],
});

const backoff = exponential({ firstMs: 60_000, maxMs: DAY_MS });
const enrol = defineTask({ name: 'lms.enrol', payload: order, maxAttempts: 100, giveUpAfterMs: 10 * DAY_MS, backoff });

/** Delivers orders by a call to a service. */
const lms = defineExtension({
  name: 'lms',
  config: z.object({ LMS_URL: serviceUrl() }),
  tasks: { enrol },
  handlers: async ({ LMS_URL }) => ({
    enrol: async ({ orderNumber }, { job }) => {
      const headers = { 'idempotency-key': job.id };
      const answer = await fetch(`${String(LMS_URL)}/enrolments/${orderNumber}`, { method: 'POST', headers });
      if (!answer.ok) throw new Error(`answered ${answer.status}`);
    },
  }),
  subscriptions: [subscribe(orderPlaced, enrol, ({ orderNumber }) => ({ orderNumber }))],
});
const lmsFake = defineFake({
  environment: (baseUrl) => ({ LMS_URL: baseUrl }),
  routes: [
    {
      name: 'lms.enrol',
      method: 'POST',
      path: '/enrolments/:order',
      handle: ({ params, headers }, ledger) => {
        const idempotencyKey = headers['idempotency-key'] as string;
        ledger.record({ effect: 'lms.enrol', subject: `order:${params.order}`, idempotencyKey, request: params });
        return { status: 201 };
      },
    },
  ],
});

let downstream: FakeServer | undefined;
afterEach(async () => {
  await downstream?.close();
  downstream = undefined;
});
async function start() {
  downstream = await fakeDownstream(lmsFake);
  return {
    service: downstream,
    harness: await startHarness({ extensions: [shop, lms], environment: downstream.environment() }),
  };
}

describe('a harness', () => {
  test('runs an order from its route to its effect', async () => {
    const { harness, service } = await start();
    const [receipt] = await harness.accept('/v1/orders', { body: { orderNumber: 'D-1001' } });
    expect(receipt).toMatchObject({ task: 'shop.fulfil', state: 'waiting', duplicate: false });
    expectEnqueued(harness, fulfil, { orderNumber: 'D-1001' });

    const attempts = await harness.drain();
    expect(attempts.map(({ task, outcome }) => `${task} ${outcome.kind}`)).toEqual([
      'shop.fulfil completed',
      'lms.enrol completed',
    ]);
    expect(service.ledger()).toEqual([expect.objectContaining({ effect: 'lms.enrol', subject: 'order:D-1001' })]);
    expect(harness.timeline('order:D-1001').map(({ task, state, parentJobId }) => [task, state, parentJobId])).toEqual([
      ['shop.fulfil', 'completed', undefined],
      ['lms.enrol', 'completed', receipt?.jobId],
    ]);
    expect(harness.log.lines.map(({ message }) => message)).toEqual(['attempt completed', 'attempt completed']);
  });

  test('takes a repeated order for the same job', async () => {
    const { harness, service } = await start();
    const body = { orderNumber: 'D-1001' };
    await harness.accept('/v1/orders', { body, caller: 'shop' });
    expect(await harness.accept('/v1/orders', { body, caller: 'shop' })).toMatchObject([{ duplicate: true }]);
    await harness.accept('/v1/orders', { body, headers: { 'Idempotency-Key': 'k2' }, caller: 'shop' });
    await harness.drain();
    expect(harness.jobs({ task: fulfil })).toHaveLength(2);
    // Both announce the same event, whose key is the order number.
    expect(harness.jobs({ task: enrol })).toHaveLength(1);
    expect(service.ledger()).toHaveLength(1);
  });

  test('runs days of retries in milliseconds', async () => {
    const { harness, service } = await start();
    service.fail({ route: 'lms.enrol', mode: '503', count: 14 });
    await harness.queue.emit(orderPlaced, { orderNumber: 'D-1001' });
    const startMs = harness.clock.nowMs();
    const startedAt = performance.now();

    const attempts = await harness.drain();
    expect(attempts.map(({ outcome }) => outcome.kind)).toEqual([...Array<string>(14).fill('retried'), 'completed']);
    // 1, 2, 4 … 1 024 minutes, then three times a day.
    expect(harness.clock.nowMs() - startMs).toBe(2_047 * 60_000 + 3 * DAY_MS);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect(service.ledger()).toHaveLength(1);
  });

  test('leaves a dead letter when the service stays dead', async () => {
    const { harness, service } = await start();
    service.fail({ route: 'lms.enrol', mode: '503', forMs: 3_600_000 });
    await harness.queue.enqueue(enrol, { orderNumber: 'D-1001' });
    await harness.drain();
    expect(harness.jobs({ state: 'dead' })).toEqual([
      expect.objectContaining({ task: 'lms.enrol', outcome: 'gave-up', payload: { orderNumber: 'D-1001' } }),
    ]);
  });

  test('drains up to a time, and moves the clock there', async () => {
    const { harness, service } = await start();
    const startMs = harness.clock.nowMs();
    service.fail({ route: 'lms.enrol', mode: '503', count: 2 });
    await harness.queue.enqueue(enrol, { orderNumber: 'D-1001' });
    expect(await harness.drain({ untilMs: 59_999 })).toHaveLength(1);
    expect(harness.clock.nowMs() - startMs).toBe(59_999);
    expect(await harness.drain({ untilMs: 0 })).toEqual([]);
    expect(harness.jobs()).toMatchObject([{ state: 'scheduled', attempt: 1, dueAtMs: startMs + 60_000 }]);
    expect(await harness.drain({ untilMs: 1 })).toMatchObject([{ attempt: 2, atMs: startMs + 60_000 }]);
  });

  test('names the job that never ends', async () => {
    const again = defineTask({ name: 'loop.again', payload: z.strictObject({}) });
    const child = defineTask({ name: 'loop.child', payload: z.strictObject({}) });
    const loop = defineExtension({
      name: 'loop',
      config: z.object({}),
      tasks: { again, child },
      handlers: async () => ({
        again: () => Promise.reject(retryLater(0, 'for ever')),
        child: async (_, context) => context.enqueue(child, {}),
      }),
    });
    const harness = await startHarness({ extensions: [loop] });
    const { jobId } = await harness.queue.enqueue(again, {});
    await expect(harness.drain({ mostAttempts: 50 })).rejects.toThrow(
      `no end in 50 attempts: loop.again took 50 of them, its job ${jobId} alone 50, the last one snoozed`,
    );
    const children = await startHarness({ extensions: [loop] });
    await children.queue.enqueue(child, {});
    await expect(children.drain({ mostAttempts: 50 })).rejects.toThrow(
      'loop.child took 50 of them, each in another job',
    );
  });

  test('checks the signature of a webhook before its body', async () => {
    const { harness } = await start();
    const body = '{"orderNumber":"D-1001"}';
    const headers = { 'X-Signature': `signed ${body.length}` };
    expect(await harness.accept('/webhooks/shop', { body, headers })).toMatchObject([{ task: 'shop.fulfil' }]);
    const unsigned = harness.accept('/webhooks/shop', { body: 'not JSON' });
    await expect(unsigned).rejects.toMatchObject({ code: 'COORD_SIGNATURE_INVALID' });
    expect(harness.log.lines).toMatchObject([{ level: 'warn', fields: { caller: 'shop' } }]);
  });

  test('refuses a bad body as the API does, and an unknown path with the known ones', async () => {
    const { harness } = await start();
    await expect(harness.accept('/v1/orders', { body: {} })).rejects.toMatchObject({ code: 'COORD_BODY_INVALID' });
    await expect(harness.accept('/v1/order', { body: {} })).rejects.toThrow(
      'the routes are: /v1/orders, /webhooks/shop',
    );
    expect(harness.enqueued).toEqual([]);
  });

  test('says which variables are missing', async () => {
    await expect(startHarness({ extensions: [shop, lms] })).rejects.toThrow('LMS_URL is not set');
  });
});
