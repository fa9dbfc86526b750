import {
  decimalAmount,
  type DataOf,
  type paymentRefunded,
  type paymentSucceeded,
  type PayloadOf,
} from '@coordinator/extension';
import type { track } from './tasks.ts';

type Tracked = PayloadOf<typeof track>;

/** A payment completes an order. */
export function orderCompleted(payment: DataOf<typeof paymentSucceeded>): Tracked {
  return { event: 'Order Completed', messageId: `order-completed:${payment.paymentId}`, ...commonOf(payment) };
}

/** The total is what this refund paid back. */
export function orderRefunded(refund: DataOf<typeof paymentRefunded>): Tracked {
  return { event: 'Order Refunded', messageId: `order-refunded:${refund.refundId}`, ...commonOf(refund) };
}

function commonOf(payment: DataOf<typeof paymentSucceeded>) {
  const { customerId, orderNumber, paymentId, amountMinor, currency, occurredAt } = payment;
  // Segment wants either id, and would merge two people who shared an anonymous one: so it is this purchase's own.
  const anonymousId = orderNumber === undefined ? `payment:${paymentId}` : `order:${orderNumber}`;
  return {
    ...(customerId === undefined ? { anonymousId } : { userId: customerId }),
    timestamp: occurredAt,
    properties: { orderNumber, total: decimalAmount(amountMinor, currency), currency },
  };
}
