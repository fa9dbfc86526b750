import { expect, test } from '@jest/globals';
import { orderCompleted, orderRefunded } from './order-events.ts';
import { track } from './tasks.ts';

const payment = {
  processor: 'stripe',
  paymentId: 'pi_1',
  orderNumber: 'D-1001',
  customerId: '42',
  amountMinor: 4_900,
  currency: 'USD',
  occurredAt: '2026-01-03T00:00:00Z',
};

test('a payment is an order completed, known to Segment by the id of the payment', () => {
  expect(track.payload.parse(orderCompleted(payment))).toEqual({
    event: 'Order Completed',
    messageId: 'order-completed:pi_1',
    userId: '42',
    timestamp: '2026-01-03T00:00:00Z',
    properties: { orderNumber: 'D-1001', total: '49.00', currency: 'USD' },
  });
});

test('a refund is an order refunded, known to Segment by the id of the refund', () => {
  expect(
    track.payload.parse(orderRefunded({ ...payment, refundId: 're_1', amountMinor: 500, currency: 'JPY' })),
  ).toEqual({
    event: 'Order Refunded',
    messageId: 'order-refunded:re_1',
    userId: '42',
    timestamp: '2026-01-03T00:00:00Z',
    properties: { orderNumber: 'D-1001', total: '500', currency: 'JPY' },
  });
});

test('a customer whom nobody knows is anonymous, by the order or else by the payment', () => {
  const unknown = { ...payment, customerId: undefined };

  expect(track.payload.parse(orderCompleted(unknown))).toMatchObject({ anonymousId: 'order:D-1001' });
  expect(orderCompleted(unknown)).not.toHaveProperty('userId');
  expect(track.payload.parse(orderCompleted({ ...unknown, orderNumber: undefined }))).toMatchObject({
    anonymousId: 'payment:pi_1',
  });
});

test('an event about nobody is no payload', () => {
  const event = { ...orderCompleted(payment), userId: undefined };

  expect(track.payload.safeParse(event).success).toBe(false);
});
