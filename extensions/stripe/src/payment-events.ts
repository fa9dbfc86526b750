import type { DataOf, paymentRefunded, paymentSucceeded } from '@coordinator/extension';
import { z } from 'zod';
import { isoMinorUnits } from './iso-minor-units.ts';
import { customerId, occurredAt, orderNumber, readData, type StripeEvent } from './stripe-event.ts';

const id = z.string().min(1).max(255);
const amount = z.int().nonnegative();
/** Lower case at Stripe, upper case in ISO 4217 and here. */
const currency = z
  .string()
  .regex(/^[A-Za-z]{3}$/)
  .transform((code) => code.toUpperCase());

/** Source: https://docs.stripe.com/api/payment_intents/object */
const paymentIntentData = z.object({
  object: z.object({ id, amount, amount_received: amount.nullish(), currency }),
});

const refund = z.object({ id, amount, created: z.int().nonnegative(), currency });

/** Source: https://docs.stripe.com/api/charges/object */
const chargeData = z.object({
  object: z.object({
    id,
    amount_refunded: amount,
    currency,
    payment_intent: id.nullish(),
    refunds: z.object({ data: z.array(refund).max(100) }).nullish(),
  }),
  previous_attributes: z.object({ amount_refunded: amount.nullish() }).nullish(),
});

/** What `payment_intent.succeeded` says. @throws CoordinatorError COORD_BODY_INVALID */
export function succeededPayment(event: StripeEvent): DataOf<typeof paymentSucceeded> {
  const { object: intent } = readData(event, paymentIntentData);
  return {
    ...commonOf(event),
    paymentId: intent.id,
    // After a partial capture less was collected than intended.
    amountMinor: isoMinorUnits(intent.amount_received ?? intent.amount, intent.currency),
    currency: intent.currency,
  };
}

/** What `charge.refunded` says, which Stripe sends once for each refund. @throws CoordinatorError COORD_BODY_INVALID */
export function refundedPayment(event: StripeEvent): DataOf<typeof paymentRefunded> {
  const { object: charge, previous_attributes: before } = readData(event, chargeData);
  const [newest] = (charge.refunds?.data ?? []).toSorted((a, b) => b.created - a.created);
  // API versions from 2022-11-15 on leave `refunds` out. The amount is then what this event has added to the sum, and
  // the event stands for the refund: there is one of each. Source: https://docs.stripe.com/upgrades#2022-11-15
  const { id: refundId, ...paidBack } = newest ?? {
    id: event.id,
    amount: charge.amount_refunded - (before?.amount_refunded ?? 0),
    currency: charge.currency,
  };
  return {
    ...commonOf(event),
    paymentId: charge.payment_intent ?? charge.id,
    refundId,
    amountMinor: isoMinorUnits(paidBack.amount, paidBack.currency),
    currency: paidBack.currency,
  };
}

function commonOf(event: StripeEvent) {
  return {
    processor: 'stripe',
    orderNumber: orderNumber(event),
    customerId: customerId(event),
    occurredAt: occurredAt(event),
  };
}
