import { CoordinatorError } from '@coordinator/extension';
import { z } from 'zod';

/** Seconds since 1970, up to the year 9999. */
const unixSeconds = z.int().nonnegative().max(253_402_300_799);
/** Metadata is whatever the shop, or another system on the same Stripe account, has put there. */
const metadata = z.record(z.string().max(255), z.unknown()).nullish().catch(undefined);

/**
 * What every event of Stripe has in common. What Stripe adds is ignored; it may add fields and types at any time.
 * Source: https://docs.stripe.com/api/events/object, and for the events of API v2 https://docs.stripe.com/api/v2/core/events
 */
export const stripeEvent = z.object({
  id: z.string().min(1).max(255),
  type: z.string().min(1).max(100),
  /** API v2 writes ISO 8601 instead. */
  created: z.union([unixSeconds, z.iso.datetime().max(40)]),
  /** API v2 leaves it out. */
  data: z
    .object({
      object: z.looseObject({ metadata }),
      previous_attributes: z.looseObject({}).nullish(),
    })
    .optional(),
});

/** See {@link stripeEvent}. */
export type StripeEvent = z.output<typeof stripeEvent>;

/** When it happened, in ISO 8601. */
export function createdAt({ created }: StripeEvent): string {
  return typeof created === 'string' ? created : new Date(created * 1_000).toISOString();
}

/** The order that the event is about; undefined when its metadata names none that could be one of ours. */
export function orderNumber({ data }: StripeEvent): string | undefined {
  return shortText(data?.object.metadata?.order_number);
}

/** The id of the customer in the course platform, if the metadata names it. */
export function customerId({ data }: StripeEvent): string | undefined {
  return shortText(data?.object.metadata?.edx_lms_user_id);
}

/**
 * Reads the `data` of an event whose type we know.
 *
 * @throws CoordinatorError COORD_BODY_INVALID, so that Stripe sends the event again for three days: a payment that we
 *   cannot read must not count as received
 */
export function readData<Data>(event: StripeEvent, schema: z.ZodType<Data>): Data {
  const parsed = schema.safeParse(event.data);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${['data', ...issue.path].join('.')}: ${issue.message}`);
  throw new CoordinatorError('COORD_BODY_INVALID', `The event is not a ${event.type} as we know it`, { faults });
}

/** Longer or unprintable ones are of another system: a refusal would have Stripe repeat them and then disable us. */
function shortText(value: unknown): string | undefined {
  return typeof value === 'string' && /^\P{C}{1,64}$/u.test(value) ? value : undefined;
}
