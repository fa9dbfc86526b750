import { defineTask, noPii } from '@coordinator/extension';
import { z } from 'zod';

/** Have one line of an order shipped. Safe to repeat: the warehouse honours the idempotency key. */
export const ship = defineTask({
  name: 'warehouse.ship',
  payload: noPii(
    z.strictObject({
      orderNumber: z.string().min(1).max(64),
      sku: z.string().min(1).max(255),
      quantity: z.int().positive(),
    }),
  ),
  // More than three days hold, so that the age of the job ends its retries and not their number.
  maxAttempts: 200,
  // Longer than a call of the client can take, so that a slow call is reported as one.
  timeoutMs: 20_000,
});

/** Have the list of a day's parcels made, for the carrier. Safe to repeat: a day is closed once. */
export const closeDay = defineTask({
  name: 'warehouse.close-day',
  payload: noPii(z.strictObject({ day: z.iso.date() })),
  timeoutMs: 20_000,
});
