import { CoordinatorError } from '@coordinator/tasks';

const KEY = /^[\x20-\x7e]{1,255}$/;

/**
 * Reads the `Idempotency-Key` header, with or without the quotes of a structured-field string.
 * Source: https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 *
 * @throws CoordinatorError COORD_IDEMPOTENCY_KEY_INVALID
 */
export function readIdempotencyKey(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  const key = typeof header === 'string' ? header.replace(/^"(.*)"$/, '$1') : '';
  if (!KEY.test(key)) throw new CoordinatorError('COORD_IDEMPOTENCY_KEY_INVALID');
  return key;
}
