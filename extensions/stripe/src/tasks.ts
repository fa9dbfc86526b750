import { defineTask, exponential, noPii } from '@coordinator/extension';
import { z } from 'zod';

/**
 * Note an event of Stripe that starts nothing else, so that it shows on the timeline of its order. Safe to repeat: it
 * writes a log line.
 */
export const recordEvent = defineTask({
  name: 'stripe.record-event',
  payload: noPii(
    z.strictObject({
      eventId: z.string().min(1).max(255),
      /** Stripe's name of what happened: `charge.dispute.created`. */
      type: z.string().min(1).max(255),
      /** ISO 8601, by Stripe's clock; left out when the event does not say. */
      createdAt: z.iso.datetime().optional(),
    }),
  ),
  maxAttempts: 5,
  timeoutMs: 5_000,
  backoff: exponential({ firstMs: 500, maxMs: 60_000 }),
});
