import { beforeEach, describe, expect, test } from '@jest/globals';
import { startHarness, type Harness } from '@coordinator/task-testing';
import { stripeFake } from './fake.ts';
import { bookkeeper } from './fixtures/bookkeeper.ts';
import { stripe } from './index.ts';

const environment = stripeFake.environment('http://127.0.0.1:1');

let harness: Harness;
beforeEach(async () => {
  harness = await startHarness({ extensions: [stripe, bookkeeper], environment });
});

/** Has the route take what Stripe would send. */
function receive(input: object, { badSignature = false, to = harness } = {}) {
  const { path, ...request } = stripeFake.webhook!(input, { badSignature });
  return to.accept(path, request);
}

describe('an event of Stripe', () => {
  test('about a refund starts the jobs that are subscribed to refunds', async () => {
    const receipts = await receive({
      type: 'charge.refunded',
      id: 'evt_1',
      refundId: 're_1',
      amount: 100,
      customerId: '42',
    });

    expect(receipts).toMatchObject([{ task: 'bookkeeper.book-payment', state: 'waiting', duplicate: false }]);
    expect(harness.timeline('order:D-1001')).toMatchObject([
      { payload: { processor: 'stripe', refundId: 're_1', orderNumber: 'D-1001', customerId: '42', amountMinor: 100 } },
    ]);
  });

  test('about a payment starts the jobs that are subscribed to payments', async () => {
    await receive({ type: 'payment_intent.succeeded', paymentIntentId: 'pi_1', currency: 'jpy' });

    expect(harness.timeline('order:D-1001')).toMatchObject([
      { task: 'bookkeeper.book-payment', payload: { paymentId: 'pi_1', amountMinor: 4_900, currency: 'JPY' } },
    ]);
  });

  test.each(['charge.refunded', 'charge.dispute.created'])(
    'of the type %s that comes a hundred times at once starts one job',
    async (type) => {
      const { path, ...request } = stripeFake.webhook!({ type }, { badSignature: false });
      const answers = await Promise.all(Array.from({ length: 100 }, () => harness.accept(path, request)));

      const receipts = answers.flat();
      expect(receipts).toHaveLength(100);
      expect(new Set(receipts.map(({ jobId }) => jobId)).size).toBe(1);
      expect(receipts.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
      expect(harness.enqueued).toHaveLength(1);
    },
  );

  test('of a type that nobody knows is recorded on the timeline of its order', async () => {
    const [receipt] = await receive({ type: 'charge.dispute.created', id: 'evt_1', created: 1_767_400_000 });
    await harness.drain();

    expect(receipt).toMatchObject({ task: 'stripe.record-event', duplicate: false });
    expect(harness.timeline('order:D-1001')).toMatchObject([
      {
        state: 'completed',
        payload: { eventId: 'evt_1', type: 'charge.dispute.created', createdAt: '2026-01-03T00:26:40.000Z' },
      },
    ]);
    expect(harness.log.lines).toContainEqual(
      expect.objectContaining({
        message: 'Stripe event recorded: nothing here acts on it',
        fields: expect.objectContaining({ eventId: 'evt_1', type: 'charge.dispute.created' }),
      }),
    );
  });

  test('that names no order is recorded under its own id', async () => {
    await receive({ type: 'payout.paid', id: 'evt_1', orderNumber: null });

    expect(harness.timeline('stripe-event:evt_1')).toMatchObject([{ task: 'stripe.record-event' }]);
  });

  test('that we know and nothing is subscribed to is recorded', async () => {
    const alone = await startHarness({ extensions: [stripe], environment });

    expect(await receive({ type: 'charge.refunded' }, { to: alone })).toMatchObject([{ task: 'stripe.record-event' }]);
  });

  test('of API v2, which brings no data, is recorded', async () => {
    const event = {
      id: 'evt_1',
      object: 'v2.core.event',
      type: 'v1.billing.meter.error_report_triggered',
      created: '2026-01-03T00:00:00.123Z',
      related_object: { id: 'mtr_1', type: 'billing.meter', url: '/v1/billing/meters/mtr_1' },
    };

    expect(await receive({ event })).toMatchObject([{ task: 'stripe.record-event' }]);
  });

  test.each([
    { id: 'evt_1', type: 'x'.repeat(255) },
    { id: 'evt_1', type: 'payout.paid', created: 1e12, data: [] },
  ])('that starts nothing is recorded, whatever nobody needs of it: %j', async (event) => {
    expect(await receive({ event })).toMatchObject([{ task: 'stripe.record-event' }]);
    await harness.drain();
    expect(harness.timeline('stripe-event:evt_1')).toMatchObject([{ state: 'completed' }]);
  });

  test('with an id that was seen before is a repetition, whatever it says', async () => {
    await receive({ type: 'charge.dispute.created', id: 'evt_1' });
    expect(await receive({ type: 'payout.paid', id: 'evt_1' })).toMatchObject([{ duplicate: true }]);
    expect(harness.enqueued).toHaveLength(1);
  });

  test('with a bad signature is refused before anything of it is read, and nothing is stored or logged', async () => {
    await expect(receive({ event: { email: 'private' } }, { badSignature: true })).rejects.toMatchObject({
      code: 'COORD_SIGNATURE_INVALID',
    });
    await expect(harness.accept('/webhooks/stripe', { body: 'private' })).rejects.toMatchObject({
      code: 'COORD_SIGNATURE_INVALID',
    });
    expect(harness.enqueued).toEqual([]);
    expect(JSON.stringify(harness.log.lines)).not.toContain('private');
  });

  test('whose body was re-spaced on the way is refused', async () => {
    const { path, headers, body } = stripeFake.webhook!({}, { badSignature: false });

    await expect(
      harness.accept(path, { headers, body: JSON.stringify(JSON.parse(body), null, 1) }),
    ).rejects.toMatchObject({ code: 'COORD_SIGNATURE_INVALID' });
  });

  test.each([
    { id: 'evt_1', type: 'charge.refunded', created: 1 },
    { id: 'evt_1', type: 'charge.refunded', created: 1, data: { object: { id: 'ch_1', currency: 'usd' } } },
    { id: '', type: 'charge.refunded', created: 1 },
    {
      ...{ id: 'evt_1', type: 'payment_intent.succeeded', created: 1e12 },
      data: { object: { id: 'pi_1', amount: 1, currency: 'usd' } },
    },
  ])('that is signed but not what we take it for is refused, so that Stripe keeps it: %j', async (event) => {
    await expect(receive({ event })).rejects.toMatchObject({ code: 'COORD_BODY_INVALID' });
    expect(harness.enqueued).toEqual([]);
  });
});
