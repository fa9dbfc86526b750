import { CoordinatorError } from '@coordinator/tasks';

/** What most callers send: bare. Commas and quotes would be the marks of a list or of a broken string. */
const BARE = /^[\x20-\x7e]{1,255}$/;
const MARKS = /["\\,]/;
/** A string of structured fields. Source: https://www.rfc-editor.org/rfc/rfc9651#name-strings */
const QUOTED = /^"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\]){1,255})"$/;

/**
 * Reads the `Idempotency-Key` header: a structured-field string, or the same without its quotes.
 * Source: https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 *
 * @throws CoordinatorError COORD_IDEMPOTENCY_KEY_INVALID
 */
export function readIdempotencyKey(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  const text = typeof header === 'string' ? header : '';
  const quoted = QUOTED.exec(text)?.[1];
  if (quoted !== undefined) return quoted.replaceAll(/\\(.)/g, '$1');
  if (!BARE.test(text) || MARKS.test(text)) throw new CoordinatorError('COORD_IDEMPOTENCY_KEY_INVALID');
  return text;
}
