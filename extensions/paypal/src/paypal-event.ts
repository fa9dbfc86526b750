import { CoordinatorError } from '@coordinator/extension';
import { z } from 'zod';

/** An id as PayPal makes them. It becomes a segment of the path of a call. */
export const paypalId = z.string().regex(/^[A-Za-z0-9-]{1,64}$/, 'must be 1 to 64 letters, digits and hyphens');

/**
 * What is read of an event: a hint at what to ask PayPal about, because its body is not signed. What PayPal adds is ignored.
 * Source: https://developer.paypal.com/docs/api/webhooks/v1/#webhooks-events_get
 */
export const paypalEvent = z.object({
  id: paypalId.max(64),
  /** PayPal's name of what happened: `PAYMENT.CAPTURE.REFUNDED`. */
  event_type: z.string().min(1).max(100),
  /** The thing it happened to; not every kind has an id of this form. */
  resource: z.looseObject({}).optional(),
});

/** See {@link paypalEvent}. */
export type PayPalEvent = z.output<typeof paypalEvent>;

/**
 * The id of the resource of an event whose type we know.
 *
 * @throws CoordinatorError COORD_BODY_INVALID, so that PayPal sends the event again for three days: a payment that we
 *   cannot read must not count as received
 */
export function resourceId({ event_type, resource }: PayPalEvent): string {
  const parsed = paypalId.safeParse(resource?.id);
  if (parsed.success) return parsed.data;
  throw new CoordinatorError('COORD_BODY_INVALID', `The event is not a ${event_type} as we know it`, {
    faults: ['resource.id: must be 1 to 64 letters, digits and hyphens'],
  });
}
