import type { z } from 'zod';
import { replaceValues } from './hidden-values.ts';
import { REDACTED } from './mask.ts';
import { personalValues } from './personal-data.ts';
import { schemaParts } from './schema-parts.ts';

const namesBySchema = new WeakMap<z.ZodType, ReadonlySet<string>>();

/**
 * Why a value does not fit its schema, one line each: `lines.0.sku: Too small`. Never anything of the value: a name that
 * the schema does not declare, as in a record, is shown as `*`, and what is marked pii() is taken out of messages, because
 * those of an author's own checks may quote it.
 *
 * @param whole what a fault of the whole value is told of: `body`
 */
export function schemaFaults(schema: z.ZodType, error: z.ZodError, value: unknown, whole: string): string[] {
  const names = declaredNames(schema);
  const personal = personalValues(schema, value);
  return error.issues.map((issue) => {
    const shown = issue.path.map((part) => (typeof part === 'number' || names.has(String(part)) ? String(part) : '*'));
    return `${shown.join('.') || whole}: ${replaceValues(messageOf(issue), personal, REDACTED)}`;
  });
}

function messageOf(issue: z.core.$ZodIssue): string {
  // zod's own message lists the names.
  return issue.code === 'unrecognized_keys' ? 'It has members that the schema does not know' : issue.message;
}

/** The names of all members that a schema declares anywhere. */
function declaredNames(schema: z.ZodType): ReadonlySet<string> {
  const known = namesBySchema.get(schema);
  if (known) return known;
  const found = new Set<string>();
  const seen = new Set<z.core.$ZodType>();
  const visit = (part: z.core.$ZodType): void => {
    if (seen.has(part)) return;
    seen.add(part);
    const { same, fields, items, names, values } = schemaParts(part);
    for (const name of fields.keys()) found.add(name);
    for (const inner of [...same, ...fields.values(), ...items, ...names, ...values]) visit(inner);
  };
  visit(schema);
  namesBySchema.set(schema, found);
  return found;
}
