import type { z } from 'zod';
import { schemaParts } from './schema-parts.ts';
import { REDACTED } from './mask.ts';

/**
 * What kind of personal data a field holds: those of edX's `pii_types` that occur here (OEP-30,
 * https://open-edx-proposals.readthedocs.io/en/latest/oep-0030-arch-pii-markup-and-auditing.html).
 */
export type PiiKind = 'id' | 'name' | 'username' | 'email_address' | 'location' | 'phone_number' | 'ip' | 'other';

/**
 * Marks a field of a schema as personal data. The mark is zod metadata (`pii`), so it shows in generated JSON schemas
 * and is seen by every copy of zod in the process; a registry of our own would be neither.
 */
export function pii<S extends z.ZodType>(schema: S, kind: PiiKind): S {
  return schema.meta({ pii: kind });
}

/** Where a schema holds personal data: `customer.email`, `lines[].note`, `answers.*` (`.*` is any key of a record). */
export function piiPaths(schema: z.ZodType): string[] {
  const paths = new Set<string>();
  collect([schema], '', new Set(), paths);
  return [...paths].sort();
}

function collect(
  schemas: readonly z.core.$ZodType[],
  path: string,
  above: Set<z.core.$ZodType>,
  paths: Set<string>,
): void {
  const parts = schemaParts(schemas);
  if (parts.pii) {
    paths.add(path);
    return;
  }
  // A schema that contains itself would never end; what is inside has been seen one round above.
  const inside = new Set([...above, ...parts.schemas]);
  const step = (children: readonly z.core.$ZodType[], to: string): void => {
    const fresh = children.filter((child) => !above.has(child));
    if (fresh.length > 0) collect(fresh, to, inside, paths);
  };
  step(parts.items, `${path}[]`);
  step(parts.values, path === '' ? '*' : `${path}.*`);
  for (const [key, children] of parts.fields) step(children, path === '' ? key : `${path}.${key}`);
}

/**
 * A copy of a value that may be logged: fields marked pii are `[redacted]`, fields that the schema does not name are
 * left out, because nobody has said what they hold. The value need not be valid.
 */
export function loggable(schema: z.ZodType, value: unknown): unknown {
  return copy([schema], value);
}

function copy(schemas: readonly z.core.$ZodType[], value: unknown): unknown {
  if (value === undefined || value === null) return value;
  const parts = schemaParts(schemas);
  if (parts.pii) return REDACTED;
  if (Array.isArray(value)) return parts.items.length > 0 ? value.map((item) => copy(parts.items, item)) : '[unknown]';
  if (value instanceof Date) return value;
  if (typeof value !== 'object') return parts.takesPlainValue ? value : '[unknown]';
  const known = Object.entries(value).flatMap(([key, held]): [string, unknown][] => {
    const children = parts.fields.get(key) ?? parts.values;
    return children.length > 0 ? [[key, copy(children, held)]] : [];
  });
  return Object.fromEntries(known);
}
