import { describe, expect, test } from '@jest/globals';
import { chargeRefunded } from './fixtures/charge-refunded.ts';
import { paymentIntentSucceeded } from './fixtures/payment-intent-succeeded.ts';
import { refundedPayment, succeededPayment } from './payment-events.ts';
import { stripeEvent } from './stripe-event.ts';

const common = {
  id: 'evt_1',
  created: 1_767_400_000,
  paymentIntentId: 'pi_1',
  amount: 4_900,
  currency: 'usd',
  metadata: { order_number: 'D-1001', edx_lms_user_id: '42', source_system: 'commercetools' },
};
const facts = {
  processor: 'stripe',
  paymentId: 'pi_1',
  orderNumber: 'D-1001',
  customerId: '42',
  amountMinor: 4_900,
  currency: 'USD',
  occurredAt: '2026-01-03T00:26:40.000Z',
};

type Changes = Readonly<Record<string, unknown>>;

function aPayment(values: Partial<typeof common> = {}, objectChanges: Changes = {}) {
  const event = paymentIntentSucceeded({ ...common, ...values }) as { data: { object: object } };
  Object.assign(event.data.object, objectChanges);
  return stripeEvent.parse(event);
}

function aRefund(values: Partial<Parameters<typeof chargeRefunded>[0]> = {}, objectChanges: Changes = {}) {
  const event = chargeRefunded({ ...common, chargeId: 'ch_1', refundId: 're_1', ...values });
  Object.assign((event as { data: { object: object } }).data.object, objectChanges);
  return stripeEvent.parse(event);
}

describe('payment_intent.succeeded', () => {
  test('tells of the payment', () => {
    expect(succeededPayment(aPayment())).toEqual(facts);
  });

  test('tells what was collected when that is less than was intended', () => {
    expect(succeededPayment(aPayment({}, { amount_received: 4_000 })).amountMinor).toBe(4_000);
    expect(succeededPayment(aPayment({}, { amount_received: undefined })).amountMinor).toBe(4_900);
  });

  test.each([null, 'text', {}, { order_number: '' }, { order_number: 'x'.repeat(65) }, { order_number: 'D-\n1' }])(
    'is accepted without an order when its metadata are %j: they are of another system',
    (metadata) => {
      expect(succeededPayment(aPayment({}, { metadata })).orderNumber).toBeUndefined();
    },
  );

  test('that lacks what we need is refused, with the place and not the value', () => {
    expect(() => succeededPayment(aPayment({}, { amount: '4900', amount_received: null }))).toThrow(
      expect.objectContaining({
        code: 'COORD_BODY_INVALID',
        faults: [expect.stringMatching(/^data\.object\.amount: /)],
      }),
    );
    expect(() => succeededPayment(stripeEvent.parse({ id: 'evt_1', type: 'x', created: 1 }))).toThrow(
      expect.objectContaining({ code: 'COORD_BODY_INVALID' }),
    );
  });
});

describe('charge.refunded', () => {
  test('tells of the refund', () => {
    expect(refundedPayment(aRefund())).toEqual({ ...facts, refundId: 're_1' });
  });

  test('tells of the newest refund only, in whatever order they are listed', () => {
    const event = chargeRefunded({
      ...common,
      chargeId: 'ch_1',
      refundId: 're_2',
      amount: 1_000,
      refundedBefore: 2_000,
    }) as { data: { object: { refunds: { data: object[] } } } };
    const newestFirst = refundedPayment(stripeEvent.parse(event));
    event.data.object.refunds.data.reverse();

    expect(newestFirst).toMatchObject({ refundId: 're_2', amountMinor: 1_000 });
    expect(refundedPayment(stripeEvent.parse(event))).toEqual(newestFirst);
  });

  test('tells of the difference, under the id of the event, where the API version lists no refunds', () => {
    const event = aRefund({ amount: 1_000, refundedBefore: 2_000 }, { refunds: undefined });

    expect(refundedPayment(event)).toEqual({ ...facts, refundId: 'evt_1', amountMinor: 1_000 });
  });

  test('tells of the charge when there is no payment intent', () => {
    expect(refundedPayment(aRefund({}, { payment_intent: null })).paymentId).toBe('ch_1');
  });

  test('tells amounts in minor units of ISO 4217', () => {
    expect(refundedPayment(aRefund({ currency: 'isk', amount: 500 }))).toMatchObject({
      amountMinor: 5,
      currency: 'ISK',
    });
  });
});
