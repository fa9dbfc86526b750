import { schemaFaults } from '@coordinator/logging';
import { CoordinatorError } from '@coordinator/tasks';
import type { z } from 'zod';
import { parseStrictJson, type CheckedValues } from './strict-json.ts';

/**
 * Reads a JSON body: UTF-8, JSON, then the schema.
 *
 * @throws CoordinatorError COORD_BODY_REQUIRED, those of parseStrictJson(), COORD_BODY_INVALID (with the faults by path, and
 *   never anything of the body: neither a value nor a name that the schema does not declare)
 */
export function readJsonBody<Body>(rawBody: Buffer, schema: z.ZodType<Body>, values?: CheckedValues): Body {
  if (rawBody.length === 0) throw new CoordinatorError('COORD_BODY_REQUIRED');
  const sent = parseStrictJson(rawBody, values);
  const parsed = schema.safeParse(sent);
  if (parsed.success) return parsed.data;
  const faults = schemaFaults(schema, parsed.error, sent, 'body');
  throw new CoordinatorError('COORD_BODY_INVALID', 'The body does not match the schema of this route', { faults });
}
