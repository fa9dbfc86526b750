import { CoordinatorError } from '@coordinator/tasks';
import type { z } from 'zod';
import { declaredNames } from './body-schema.ts';
import { parseStrictJson } from './strict-json.ts';

/**
 * Reads a JSON body: UTF-8, JSON, then the schema.
 *
 * @throws CoordinatorError COORD_BODY_REQUIRED, COORD_BODY_MALFORMED, COORD_BODY_INVALID (with the faults by path, and
 *   never anything of the body: neither a value nor a name that the schema does not declare)
 */
export function readJsonBody<Body>(rawBody: Buffer, schema: z.ZodType<Body>): Body {
  if (rawBody.length === 0) throw new CoordinatorError('COORD_BODY_REQUIRED');
  const parsed = schema.safeParse(parseStrictJson(rawBody));
  if (parsed.success) return parsed.data;
  const names = declaredNames(schema);
  const faults = parsed.error.issues.map((issue) => `${placeOf(issue.path, names)}: ${messageOf(issue)}`);
  throw new CoordinatorError('COORD_BODY_INVALID', 'The body does not match the schema of this route', { faults });
}

/** `lines.0.sku`; a name that the caller has chosen, as in a record, is shown as `*`. */
function placeOf(path: readonly PropertyKey[], names: ReadonlySet<string>): string {
  const shown = path.map((part) => (typeof part === 'number' || names.has(String(part)) ? String(part) : '*'));
  return shown.join('.') || 'body';
}

function messageOf(issue: z.core.$ZodIssue): string {
  // zod's own message lists the names.
  return issue.code === 'unrecognized_keys' ? 'It has members that the schema does not know' : issue.message;
}
