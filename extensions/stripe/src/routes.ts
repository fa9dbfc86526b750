import {
  paymentRefunded,
  paymentSucceeded,
  signature,
  webhook,
  type Receipt,
  type Route,
  type RouteContext,
  type Secret,
} from '@coordinator/extension';
import { refundedPayment, succeededPayment } from './payment-events.ts';
import { createdAt, orderNumber, stripeEvent, type StripeEvent } from './stripe-event.ts';
import { recordEvent } from './tasks.ts';
import { screenSignature, stripeSignature } from './webhook-signature.ts';

/**
 * Stripe reports what happened. An event that starts no job, of a type that nobody knows or that nothing subscribes to,
 * is recorded and accepted all the same: Stripe disables an endpoint that refuses too much.
 *
 * @param secrets any of them may have signed
 */
export function receiveEvent(secrets: readonly Secret[]): Route {
  return webhook({
    path: '/webhooks/stripe',
    summary: 'Receive an event of Stripe',
    auth: signature(stripeSignature(secrets), screenSignature),
    body: stripeEvent,
    accept: async (event, { queue }) => {
      const order = orderNumber(event);
      // Stripe sends an event again until it is accepted, always under the same id.
      const options = {
        idempotencyKey: event.id,
        subject: order === undefined ? `stripe-event:${event.id}` : `order:${order}`,
        // Whatever it holds, an event with a known id is a repetition: a refusal would only be repeated as well.
        refuseOtherPayload: false,
      };
      const started = await announce(event, queue, options);
      if (started.length > 0) return started;
      const payload = { eventId: event.id, type: event.type, createdAt: createdAt(event) };
      return [await queue.enqueue(recordEvent, payload, options)];
    },
  });
}

async function announce(
  event: StripeEvent,
  queue: RouteContext['queue'],
  options: { readonly idempotencyKey: string; readonly subject: string },
): Promise<Receipt[]> {
  switch (event.type) {
    case 'payment_intent.succeeded':
      return queue.emit(paymentSucceeded, succeededPayment(event), options);
    case 'charge.refunded':
      return queue.emit(paymentRefunded, refundedPayment(event), options);
    default:
      return [];
  }
}
