import { CoordinatorError } from '@coordinator/tasks';
import type { z } from 'zod';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads a JSON body: UTF-8, JSON, then the schema.
 *
 * @throws CoordinatorError COORD_BODY_REQUIRED, COORD_BODY_MALFORMED, COORD_BODY_INVALID (with the faults by path, and
 *   never a value of the body)
 */
export function readJsonBody<Body>(rawBody: Buffer, schema: z.ZodType<Body>): Body {
  if (rawBody.length === 0) throw new CoordinatorError('COORD_BODY_REQUIRED');
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(rawBody));
  } catch {
    // The parser's message quotes the body.
    throw new CoordinatorError('COORD_BODY_MALFORMED', 'The body must be JSON in UTF-8');
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`);
  throw new CoordinatorError('COORD_BODY_INVALID', 'The body does not match the schema of this route', { faults });
}
