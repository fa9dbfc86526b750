import { signature, webhook, type Receipt, type Route, type RouteContext } from '@coordinator/extension';
import { paypalEvent, resourceId, type PayPalEvent } from './paypal-event.ts';
import { confirmPayment, confirmRefund, recordEvent } from './tasks.ts';
import { paypalSignature, type WebhookKeys } from './webhook-signature.ts';

/**
 * PayPal reports what happened. Its signature does not cover the body, so that a job asks PayPal about it before anybody
 * acts on it; of the body only ids are kept. An event of a type that nobody knows is recorded and accepted all the same,
 * because PayPal would repeat it for three days.
 */
export function receiveEvent(keys: WebhookKeys): Route {
  return webhook({
    path: '/webhooks/paypal',
    summary: 'Receive an event of PayPal',
    auth: signature(paypalSignature(keys)),
    body: paypalEvent,
    accept: async (event, { queue }) => [await enqueue(event, queue)],
  });
}

async function enqueue(event: PayPalEvent, queue: RouteContext['queue']): Promise<Receipt> {
  const { id: eventId, event_type: type } = event;
  // PayPal repeats an event under its id until it is accepted. A forged body may have the id of another event; with all
  // that a job keeps in its key, it is another job, and takes the place of none.
  const keyOf = (...kept: string[]) => ({ idempotencyKey: [eventId, type, ...kept].join(' ') });
  switch (type) {
    case 'PAYMENT.CAPTURE.COMPLETED': {
      const captureId = resourceId(event);
      const options = { ...keyOf(captureId), subject: `paypal-capture:${captureId}` };
      return queue.enqueue(confirmPayment, { eventId, captureId }, options);
    }
    case 'PAYMENT.CAPTURE.REFUNDED': {
      const refundId = resourceId(event);
      const options = { ...keyOf(refundId), subject: `paypal-refund:${refundId}` };
      return queue.enqueue(confirmRefund, { eventId, refundId }, options);
    }
    default:
      return queue.enqueue(recordEvent, { eventId, type }, { ...keyOf(), subject: `paypal-event:${eventId}` });
  }
}
