import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '@coordinator/task-testing';
import { startStack } from '@coordinator/tools';
import { Coordinator } from './coordinator.ts';

let coordinator: Coordinator;

beforeAll(async () => {
  coordinator = new Coordinator(await startStack());
}, 60_000);
afterAll(() => coordinator.stack.stop());

/** Waits until no job about the order has anything left to do. */
async function settled(orderNumber: string, jobs: number) {
  return eventually(async () => {
    const timeline = await coordinator.timeline(orderNumber);
    expect(timeline.map((job) => job.state)).toEqual(Array(jobs).fill('completed'));
    return timeline;
  });
}

describe('an order', () => {
  test('is accepted, delivered once, and its timeline tells so', async () => {
    const order = coordinator.newOrder();
    const { status, body } = await coordinator.placeOrder(order);
    expect(status).toBe(202);
    expect(body).toEqual({
      jobs: [{ jobId: expect.any(String), task: 'orders.fulfil', state: 'waiting', duplicate: false }],
      links: { self: `/v1/jobs/${body.jobs[0].jobId}` },
    });

    const [fulfil, enrol] = await settled(order.orderNumber, 2);
    expect(fulfil).toMatchObject({ jobId: body.jobs[0].jobId, task: 'orders.fulfil', parentJobId: null });
    expect(enrol).toMatchObject({ task: 'lms.enrol', parentJobId: fulfil?.jobId, traceId: fulfil?.traceId });
    const effects = await coordinator.ledger(order.orderNumber);
    expect(effects).toEqual([
      expect.objectContaining({ effect: 'lms.enrol', idempotencyKey: `${enrol?.jobId}:enrol`, repeats: 0 }),
    ]);

    const job = await coordinator.get(body.links.self);
    expect(job.status).toBe(200);
    expect(job.body).toMatchObject({
      state: 'completed',
      attempt: 1,
      queue: 'orders',
      outcome: 'completed',
      error: null,
    });
  });

  test('placed twice has one effect, and the same job ids both times', async () => {
    const order = coordinator.newOrder();
    const key = { 'idempotency-key': `key-${order.orderNumber}` };
    const first = await coordinator.placeOrder(order, key);
    const second = await coordinator.placeOrder(order, key);
    expect(second.status).toBe(202);
    expect(second.headers['idempotency-replayed']).toBe('true');
    expect(second.body.jobs[0]).toMatchObject({ jobId: first.body.jobs[0].jobId, duplicate: true });
    await settled(order.orderNumber, 2);
    expect(await coordinator.ledger(order.orderNumber)).toHaveLength(1);
  });

  test('placed twice without a key is one order all the same', async () => {
    const order = coordinator.newOrder();
    const [first, second] = await Promise.all([coordinator.placeOrder(order), coordinator.placeOrder(order)]);
    expect(second.body.jobs[0].jobId).toBe(first.body.jobs[0].jobId);
    await settled(order.orderNumber, 2);
  });

  test('with a known key and another content is refused', async () => {
    const key = { 'idempotency-key': 'key-conflict' };
    const order = coordinator.newOrder();
    await coordinator.placeOrder(order, key);
    await settled(order.orderNumber, 2);
    const { status, body } = await coordinator.placeOrder(coordinator.newOrder(), key);
    expect(status).toBe(422);
    expect(body).toMatchObject({ code: 'COORD_IDEMPOTENCY_CONFLICT', status: 422 });
  });

  test('whose course platform answers 503 three times is retried with backoff, and has one effect', async () => {
    const order = coordinator.newOrder();
    await coordinator.fail('lms.enrol', '503', { count: 3 });
    await coordinator.placeOrder(order);
    const [, enrol] = await settled(order.orderNumber, 2);
    expect(enrol).toMatchObject({ attempt: 4 });
    expect(await coordinator.ledger(order.orderNumber)).toEqual([expect.objectContaining({ repeats: 0 })]);
  });

  test('whose effect happened although the answer was lost is repeated under the same key, and has one effect', async () => {
    const order = coordinator.newOrder();
    await coordinator.fail('lms.enrol', 'dropResponseAfterEffect', { count: 1 });
    await coordinator.placeOrder(order);
    const [, enrol] = await settled(order.orderNumber, 2);
    expect(enrol).toMatchObject({ attempt: 2 });
    expect(await coordinator.ledger(order.orderNumber)).toEqual([expect.objectContaining({ repeats: 1 })]);
  });

  test('with a line that nobody delivers becomes a dead letter that says so', async () => {
    const order = coordinator.newOrder();
    await coordinator.placeOrder({ ...order, lines: [{ ...order.lines[0], kind: 'balloon' }] });
    await eventually(async () => {
      expect(await coordinator.timeline(order.orderNumber)).toEqual([
        expect.objectContaining({
          state: 'dead',
          error: { code: 'COORD_NOTHING_SUBSCRIBES', message: expect.stringContaining('"balloon"') },
        }),
      ]);
    });
  });
});

describe('a Stripe event', () => {
  const send = (input: object) => coordinator.tellSandbox('/__send/stripe', input);

  test('about a refund reaches analytics once, however often it is sent', async () => {
    const orderNumber = coordinator.newOrder().orderNumber;
    await send({ type: 'charge.refunded', orderNumber, duplicate: 3, concurrent: true });
    await eventually(async () => {
      expect(await coordinator.ledger(orderNumber)).toEqual([expect.objectContaining({ effect: 'segment.track' })]);
    });
    expect(await coordinator.timeline(orderNumber)).toHaveLength(1);
  });

  test('of a type that nobody acts on is recorded and answered 2xx', async () => {
    const orderNumber = coordinator.newOrder().orderNumber;
    await send({ type: 'customer.created', orderNumber });
    const [job] = await settled(orderNumber, 1);
    expect(job).toMatchObject({ task: 'stripe.record-event' });
  });

  test('with a bad signature is answered 401, and nothing is enqueued', async () => {
    const before = await coordinator.jobIds();
    const { body } = await send({ type: 'charge.refunded', orderNumber: 'E-forged', badSignature: true });
    expect(JSON.stringify(body)).toContain('401');
    expect(await coordinator.jobIds()).toEqual(before);
  });
});

test('one trace leads from the webhook over both processes to the call, with each attempt', async () => {
  const order = coordinator.newOrder();
  await coordinator.fail('lms.enrol', '503', { count: 1 });
  await coordinator.placeOrder(order, { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' });
  const [fulfil] = await settled(order.orderNumber, 2);
  expect(fulfil?.traceId).toBe('0af7651916cd43dd8448eb211c80319c');

  const spans = await eventually(async () => {
    const exported = await coordinator.spans('0af7651916cd43dd8448eb211c80319c');
    expect(exported.filter((span) => span.name === 'process lms.enrol')).toHaveLength(2);
    expect(exported.filter((span) => span.name.startsWith('POST /v1/orders'))).toHaveLength(1);
    return exported;
  });
  const parentOf = (child: (typeof spans)[number]) => spans.find((span) => span.spanId === child.parentSpanId);
  const path = (span: (typeof spans)[number] | undefined): string[] =>
    span ? [...path(parentOf(span)), `${span.service} ${span.name}`] : [];
  const [firstAttempt, secondAttempt] = spans.filter((span) => span.name === 'process lms.enrol');
  const calls = spans.filter((span) => span.kind === 'CLIENT' && span.parentSpanId === secondAttempt?.spanId);
  expect(calls.map((call) => path(call).slice(0, -1))).toContainEqual([
    'coordinator-api POST /v1/orders',
    'coordinator-api send orders',
    'coordinator-worker process orders.fulfil',
    'coordinator-worker send open-edx-lms',
    'coordinator-worker process lms.enrol',
  ]);
  expect(secondAttempt?.links.map((link) => link.spanId)).toEqual([firstAttempt?.spanId]);
});
