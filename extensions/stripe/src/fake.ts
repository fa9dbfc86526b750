import { defineFake, type FakeWebhook } from '@coordinator/extension';
import { createHmac, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { chargeRefunded } from './fixtures/charge-refunded.ts';
import { paymentIntentSucceeded } from './fixtures/payment-intent-succeeded.ts';

const SECRET = 'whsec_sandbox';

/** A whole event, to be sent as it is. */
const wholeEvent = z.object({ event: z.looseObject({}) });

/** The few values of an event that matter; ids are new for each event. */
const eventValues = z.object({
  type: z.string().default('charge.refunded'),
  id: z.string().default(() => newId('evt')),
  /** Seconds since 1970. */
  created: z.int().default(() => Math.floor(Date.now() / 1_000)),
  /** null for an event that names no order. */
  orderNumber: z.string().nullable().default('D-1001'),
  customerId: z.string().optional(),
  paymentIntentId: z.string().default(() => newId('pi')),
  chargeId: z.string().default(() => newId('ch')),
  refundId: z.string().default(() => newId('re')),
  /** As Stripe writes it: minor units, for most currencies. */
  amount: z.int().default(4_900),
  refundedBefore: z.int().optional(),
  currency: z
    .string()
    .default('usd')
    .transform((code) => code.toLowerCase()),
});

/** Stripe as far as it is used here: it sends signed events and has no routes of its own yet. */
export const stripeFake = defineFake({
  routes: [],
  environment: () => ({ STRIPE_WEBHOOK_SECRETS: SECRET }),
  webhook: (input, { badSignature }) => signed(JSON.stringify(eventOf(input)), badSignature ? 'whsec_other' : SECRET),
});

/** Signs as Stripe does. Source: https://docs.stripe.com/webhooks#verify-manually */
function signed(body: string, secret: string): FakeWebhook {
  const timestamp = Math.floor(Date.now() / 1_000);
  const v1 = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
  return {
    path: '/webhooks/stripe',
    headers: { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': `t=${timestamp},v1=${v1}` },
    body,
  };
}

function eventOf(input: unknown): object {
  const whole = wholeEvent.safeParse(input);
  if (whole.success) return whole.data.event;
  const { type, id, created, orderNumber, customerId, ...values } = eventValues.parse(input ?? {});
  const metadata = {
    ...(orderNumber === null ? {} : { order_number: orderNumber }),
    ...(customerId === undefined ? {} : { edx_lms_user_id: customerId }),
  };
  const event = { ...values, id, created, metadata };
  switch (type) {
    case 'payment_intent.succeeded':
      return paymentIntentSucceeded(event);
    case 'charge.refunded':
      return chargeRefunded(event);
    default:
      return { id, object: 'event', created, livemode: false, type, data: { object: { metadata } } };
  }
}

function newId(prefix: string): string {
  return `${prefix}_${randomUUID().replaceAll('-', '')}`;
}
