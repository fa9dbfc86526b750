import { defineTask, exponential, noPii, pii } from '@coordinator/extension';
import { z } from 'zod';

/**
 * Tell Segment what happened to an order. Safe to repeat: Segment drops an event whose messageId it has seen, and
 * remembers ids for at least a day.
 */
export const track = defineTask({
  name: 'segment.track',
  payload: z
    .strictObject({
      /** Id of the customer in the course platform. */
      userId: pii(z.string().min(1).max(64), 'id', 'third_party').optional(),
      ...noPii({
        /** Names of Segment's e-commerce specification: https://segment.com/docs/connections/spec/ecommerce/v2/ */
        event: z.enum(['Order Completed', 'Order Refunded']),
        messageId: z.string().min(1).max(300),
        /** Stands in when it is not known who the customer is. */
        anonymousId: z.string().min(1).max(300).optional(),
        /** When it happened, ISO 8601. */
        timestamp: z.iso.datetime(),
        properties: z.strictObject({
          orderNumber: z.string().min(1).max(64).optional(),
          /** Decimal string in units of the currency: `49.00`. */
          total: z.string().regex(/^\d{1,16}(\.\d{1,4})?$/, 'must be a decimal such as 49.00'),
          /** ISO 4217. */
          currency: z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code such as USD'),
        }),
      }),
    })
    .refine(({ userId, anonymousId }) => userId ?? anonymousId, 'must have a userId or an anonymousId'),
  // Retries go on for three days, the age at which a job is given up; the number of attempts is no limit before that.
  maxAttempts: 200,
  timeoutMs: 15_000,
  backoff: exponential({ firstMs: 1_000, maxMs: 3_600_000 }),
});
