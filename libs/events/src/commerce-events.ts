import { noPii, pii } from '@coordinator/logging';
import { z } from 'zod';
import { defineEvent } from './event.ts';

/** ISO 4217 code. */
const currency = z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code such as USD');
/** Minor units of its currency: cents for USD, yen for JPY. */
const amountMinor = z.int().nonnegative();

/** A line of an accepted order is to be delivered to the customer. */
export const orderLinePlaced = defineEvent({
  name: 'order.line-placed',
  data: z.strictObject({
    username: pii(z.string().min(1).max(150), 'username', 'local_api'),
    ...noPii({
      orderNumber: z.string().min(1).max(64),
      lineId: z.string().min(1).max(64),
      /** Decides which extension delivers it: `course`. */
      kind: z.string().min(1).max(32),
      sku: z.string().min(1).max(255),
      mode: z.string().min(1).max(32).optional(),
      quantity: z.int().positive().max(1_000),
      /** ISO 8601. */
      placedAt: z.iso.datetime(),
    }),
  }),
});

/** What every event about a payment tells. */
const payment = {
  /** Id of the customer in the course platform. */
  customerId: pii(z.string().min(1).max(64), 'id', 'local_api').optional(),
  ...noPii({
    /** Name of the extension of the payment processor. */
    processor: z.string().min(1).max(32),
    paymentId: z.string().min(1).max(255),
    orderNumber: z.string().min(1).max(64).optional(),
    amountMinor,
    currency,
    /** ISO 8601. */
    occurredAt: z.iso.datetime(),
  }),
};

/** A processor has collected a payment. */
export const paymentSucceeded = defineEvent({ name: 'payment.succeeded', data: z.strictObject(payment) });

/** A processor has paid money back. `amountMinor` is this refund, not the sum of all. */
export const paymentRefunded = defineEvent({
  name: 'payment.refunded',
  data: z.strictObject({ ...payment, refundId: noPii(z.string().min(1).max(255)) }),
});
