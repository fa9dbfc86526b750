import { CoordinatorError } from '@coordinator/extension';
import { z } from 'zod';

/** Seconds since 1970, up to the year 9999. */
const unixSeconds = z.int().nonnegative().max(253_402_300_799);
/** Metadata is whatever the shop, or another system on the same Stripe account, has put there. */
const metadata = z.record(z.string().max(255), z.unknown()).nullish().catch(undefined);

/**
 * What every event of Stripe has in common. What Stripe adds is ignored; it may add fields and types at any time. Only what
 * tells one event from another has to be readable: of an event that starts nothing, nobody needs the rest.
 * Source: https://docs.stripe.com/api/events/object, and for the events of API v2 https://docs.stripe.com/api/v2/core/events
 */
export const stripeEvent = z.object({
  id: z.string().min(1).max(255),
  type: z.string().min(1).max(255),
  /** API v2 writes ISO 8601 instead. */
  created: z
    .union([unixSeconds, z.iso.datetime().max(40)])
    .optional()
    .catch(undefined),
  /** API v2 leaves it out. */
  data: z
    .object({
      object: z.looseObject({ metadata }),
      previous_attributes: z.looseObject({}).nullish(),
    })
    .optional()
    .catch(undefined),
});

/** See {@link stripeEvent}. */
export type StripeEvent = z.output<typeof stripeEvent>;

/** When it happened, in ISO 8601; undefined when the event does not say. */
export function createdAt({ created }: StripeEvent): string | undefined {
  return typeof created === 'number' ? new Date(created * 1_000).toISOString() : created;
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
  throw unknownForm(
    event,
    parsed.error.issues.map((issue) => `${['data', ...issue.path].join('.')}: ${issue.message}`),
  );
}

/** When an event happened whose type we know, in ISO 8601. @throws CoordinatorError as {@link readData} */
export function occurredAt(event: StripeEvent): string {
  const at = createdAt(event);
  if (at === undefined) throw unknownForm(event, ['created: Invalid input: expected a time']);
  return at;
}

function unknownForm({ type }: StripeEvent, faults: readonly string[]): CoordinatorError {
  return new CoordinatorError('COORD_BODY_INVALID', `The event is not a ${type} as we know it`, { faults });
}

/** Longer or unprintable ones are of another system: a refusal would have Stripe repeat them and then disable us. */
function shortText(value: unknown): string | undefined {
  return typeof value === 'string' && /^\P{C}{1,64}$/u.test(value) ? value : undefined;
}
