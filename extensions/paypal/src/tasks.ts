import { defineTask, exponential, noPii } from '@coordinator/extension';
import { z } from 'zod';
import { paypalId } from './paypal-event.ts';

const HOUR_MS = 3_600_000;

/** The calls of an attempt have 15 s each. Retries end with the age of the job, four days, and not with their number. */
const asksPayPal = {
  maxAttempts: 250,
  giveUpAfterMs: 96 * HOUR_MS,
  timeoutMs: 40_000,
  backoff: exponential({ firstMs: 1_000, maxMs: HOUR_MS }),
};

/** Ask PayPal about a payment that a webhook speaks of, and announce what PayPal says. Safe to repeat: it reads. */
export const confirmPayment = defineTask({
  name: 'paypal.confirm-payment',
  payload: noPii(z.strictObject({ eventId: paypalId, captureId: paypalId })),
  ...asksPayPal,
});

/** Ask PayPal about a refund that a webhook speaks of, and announce what PayPal says. Safe to repeat: it reads. */
export const confirmRefund = defineTask({
  name: 'paypal.confirm-refund',
  payload: noPii(z.strictObject({ eventId: paypalId, refundId: paypalId })),
  ...asksPayPal,
});

/** Note an event of PayPal that starts nothing else. Safe to repeat: it writes a log line. */
export const recordEvent = defineTask({
  name: 'paypal.record-event',
  payload: noPii(
    z.strictObject({
      eventId: paypalId,
      /** PayPal's name of what happened: `CUSTOMER.DISPUTE.CREATED`. */
      type: z.string().min(1).max(100),
    }),
  ),
  maxAttempts: 5,
  timeoutMs: 5_000,
  backoff: exponential({ firstMs: 500, maxMs: 60_000 }),
});
