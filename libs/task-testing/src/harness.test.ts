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
import { decodeEnvelope, defineSchedule, defineTask, exponential, retryLater, type CatchUp } from '@coordinator/tasks';
import { noPii } from '@coordinator/logging';
import { afterEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { expectEnqueued } from './expect-enqueued.ts';
import { fakeDownstream } from './fake-downstream.ts';
import type { FakeServer } from './fake-server.ts';
import { startHarness, type Harness } from './harness.ts';

const DAY_MS = 24 * 3_600_000;

const order = noPii(z.strictObject({ orderNumber: z.string().max(64) }));
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

  test('gives the jobs of a request, and all that come of them, to its caller, and those of a webhook to nobody', async () => {
    const { harness } = await start();
    await harness.accept('/v1/orders', { body: { orderNumber: 'D-1001' }, caller: 'shop' });
    const body = '{"orderNumber":"D-1002"}';
    await harness.accept('/webhooks/shop', { body, headers: { 'X-Signature': `signed ${body.length}` } });
    await harness.drain();
    const owners = harness.jobs().map(({ task, envelope }) => [task, decodeEnvelope(envelope).caller]);
    expect(owners).toEqual([
      ['shop.fulfil', 'shop'],
      ['shop.fulfil', undefined],
      ['lms.enrol', 'shop'],
      ['lms.enrol', undefined],
    ]);
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

  describe('with a schedule', () => {
    const count = defineTask({
      name: 'stock.count',
      payload: noPii(z.strictObject({ day: z.string() })),
      backoff: () => DAY_MS,
    });
    /** Counts at six in the evening in Berlin, from the start of April 2026; `failures` attempts fail. */
    async function startCounting({ catchUp = 'once' as CatchUp, failures = 0 } = {}) {
      const nightly = defineSchedule({
        ...{ name: 'stock.nightly', cron: '0 18 * * *', timeZone: 'Europe/Berlin', task: count, catchUp },
        payload: ({ slotAt }) => ({ day: slotAt.toISOString().slice(0, 10) }),
      });
      const stock = defineExtension({
        name: 'stock',
        config: z.object({}),
        tasks: { count },
        handlers: async () => ({
          count: async () => {
            if (failures-- > 0) throw new Error('not now');
          },
        }),
        schedules: [nightly],
      });
      return startHarness({ extensions: [stock], startMs: Date.parse('2026-04-01T12:00:00Z') });
    }
    const daysOf = (harness: Harness) => harness.enqueued.map(({ payload }) => (payload as { day: string }).day);

    test('runs the job of each slot at its time, as far as it is told to go', async () => {
      const harness = await startCounting({ catchUp: 'skip' });
      const attempts = await harness.drain({ untilMs: 2 * DAY_MS, schedules: true });
      expect(attempts.map(({ atMs }) => new Date(atMs).toISOString())).toEqual([
        '2026-04-01T16:00:00.000Z',
        '2026-04-02T16:00:00.000Z',
      ]);
      expect(daysOf(harness)).toEqual(['2026-04-01', '2026-04-02']);
      expect(harness.timeline('schedule:stock.nightly')).toMatchObject([
        { state: 'completed' },
        { state: 'completed' },
      ]);
    });

    test('waits for no slot when it is not told how far to go', async () => {
      const harness = await startCounting();
      expect(await harness.drain({ schedules: true })).toEqual([]);
      expect(harness.clock.nowMs()).toBe(Date.parse('2026-04-01T12:00:00Z'));
    });

    test('fires nothing when it is not told to', async () => {
      const harness = await startCounting({ catchUp: 'all' });
      harness.clock.advance(DAY_MS);
      expect(await harness.drain({ untilMs: DAY_MS })).toEqual([]);
    });

    test.each([
      ['skip', []],
      ['once', ['2026-04-03']],
      ['all', ['2026-04-01', '2026-04-02', '2026-04-03']],
    ] as const)('makes up for slots that the clock was moved past by its policy: %s', async (catchUp, days) => {
      const harness = await startCounting({ catchUp });
      harness.clock.advance(3 * DAY_MS);
      expect(await harness.drain({ schedules: true })).toHaveLength(days.length);
      expect(daysOf(harness)).toEqual(days);
    });

    test('fires slots that pass while a job is tried again', async () => {
      const harness = await startCounting({ failures: 1 });
      harness.clock.advance(DAY_MS);
      // The second attempt is a day later, and so is the next slot.
      expect((await harness.drain({ schedules: true })).map(({ attempt }) => attempt)).toEqual([1, 1, 2]);
      expect(daysOf(harness)).toEqual(['2026-04-01', '2026-04-02']);
    });
  });

  test('checks the signature of a webhook before its body', async () => {
    const { harness } = await start();
    const body = '{"orderNumber":"D-1001"}';
    const headers = { 'X-Signature': `signed ${body.length}` };
    expect(await harness.accept('/webhooks/shop', { body, headers })).toMatchObject([{ task: 'shop.fulfil' }]);
    const unsigned = harness.accept('/webhooks/shop', { body: 'not JSON' });
    await expect(unsigned).rejects.toMatchObject({ code: 'COORD_SIGNATURE_INVALID', reason: 'Error' });
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
