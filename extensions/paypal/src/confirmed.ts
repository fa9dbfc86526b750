import { permanent, TaskError } from '@coordinator/extension';

/** Half a minute at the most: a message may come before what it speaks of can be read everywhere at PayPal. */
const PATIENT_ATTEMPTS = 5;

/** What PayPal has in its books. */
interface Resource {
  readonly id: string;
  readonly status: string;
}

/**
 * The resource, if PayPal confirms what a webhook said about it. If it does not, the body was forged or PayPal is at odds
 * with itself: both are for people to look at, and neither may have an effect.
 *
 * @param wanted the id that was asked for, and the states of which one makes the hint true
 * @throws TaskError `transient` in the first attempts, then `permanent`
 */
export function confirmed<R extends Resource>(
  resource: R | undefined,
  wanted: { readonly id: string; readonly statuses: readonly string[] },
  attempt: number,
): R {
  if (resource?.id === wanted.id && wanted.statuses.includes(resource.status)) return resource;
  const what = resource ? 'has another state there' : 'is not known there';
  const message = `PayPal does not confirm its webhook, which may be forged: what it speaks of ${what}`;
  throw attempt < PATIENT_ATTEMPTS ? new TaskError('transient', 'COORD_HANDLER_FAILED', message) : permanent(message);
}
