import { Secret } from '@coordinator/config';
import { CoordinatorError } from './error-codes.ts';
import { TaskError } from './task-error.ts';

/** Most bytes of what is stored as one: Redis serves nobody else while it moves larger ones. */
const MAX_BYTES = 262_144;
const SHOWN = JSON.stringify(new Secret(''));

/**
 * The JSON of a value that is to be stored. A Secret would be stored as the text that stands for it, and come back as
 * that: the one who reads it needs the secret itself, from its own configuration.
 *
 * @param what names the value in the error: "the payload of stripe.refund"
 * @throws CoordinatorError COORD_PAYLOAD_SECRET
 * @throws TaskError permanent, COORD_PAYLOAD_TOO_LARGE
 */
export function storableJson(value: unknown, what: string): string {
  const text = JSON.stringify(value);
  // Looking for the text first spares all others the walk.
  if (text !== undefined && text.includes(SHOWN)) refuseSecrets(value, what);
  if (text !== undefined) refuseTooLarge(text, what);
  return text;
}

function refuseTooLarge(text: string, what: string): void {
  // No character of a string has more than three bytes, so most need no count.
  if (text.length * 3 <= MAX_BYTES || Buffer.byteLength(text) <= MAX_BYTES) return;
  const message = `There are more than ${MAX_BYTES} bytes in ${what}: store them elsewhere and pass an id`;
  throw new TaskError('permanent', 'COORD_PAYLOAD_TOO_LARGE', message);
}

function refuseSecrets(value: unknown, what: string): void {
  JSON.stringify(value, function (this: Record<string, unknown>, key, shown: unknown) {
    if (this[key] instanceof Secret) {
      const at = key === '' ? '' : ` in "${key}"`;
      throw new CoordinatorError(
        'COORD_PAYLOAD_SECRET',
        `There is a Secret${at} of ${what}: read it from the configuration where it is used`,
      );
    }
    return shown;
  });
}
