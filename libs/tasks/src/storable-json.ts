import { Secret } from '@coordinator/config';
import { CoordinatorError } from './error-codes.ts';

const SHOWN = JSON.stringify(new Secret(''));

/**
 * The JSON of a value that is to be stored. A Secret would be stored as the text that stands for it, and come back as
 * that: the one who reads it needs the secret itself, from its own configuration.
 *
 * @param what names the value in the error: "the payload of stripe.refund"
 * @throws CoordinatorError COORD_PAYLOAD_SECRET
 */
export function storableJson(value: unknown, what: string): string {
  const text = JSON.stringify(value);
  // Looking for the text first spares all others the walk.
  if (text !== undefined && text.includes(SHOWN)) refuseSecrets(value, what);
  return text;
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
