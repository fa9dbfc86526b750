import { z } from 'zod';

/**
 * Where a value does not fit a schema, in words that hold none of the value: `orders.[].total: invalid_type`. Keys are
 * named as far as the schema names them; those of records are content.
 */
export function schemaFault(schema: z.ZodType, error: z.ZodError): string {
  const [issue] = error.issues;
  if (!issue) return 'invalid';
  const place: string[] = [];
  let at: z.core.$ZodType = schema;
  for (const key of issue.path) {
    while (at instanceof z.ZodOptional || at instanceof z.ZodNullable) at = at.unwrap();
    if (at instanceof z.ZodArray) {
      place.push('[]');
      at = at.element;
    } else if (at instanceof z.ZodObject && typeof key === 'string' && Object.hasOwn(at.shape, key)) {
      place.push(key);
      at = at.shape[key];
    } else {
      place.push('…');
      break;
    }
  }
  return place.length > 0 ? `${place.join('.')}: ${issue.code}` : issue.code;
}
