import type { z } from 'zod';
import { markOf, type PiiMark } from './pii.ts';
import { schemaParts } from './schema-parts.ts';

/** A place in a value that is marked as personal data. */
export interface PersonalField extends PiiMark {
  /** `customer.email`, `lines[].note`, `answers.*` (any value of a record), `answers.<name>` (any name in it). */
  readonly path: string;
}

/** What a schema says about personal data, and where it says nothing. */
export interface PersonalData {
  /** By path. */
  readonly fields: readonly PersonalField[];
  /** One line for each place that is not marked, or is marked as both. */
  readonly faults: readonly string[];
}

/** Looks through a schema for the marks pii() and noPii(); every field needs one, of its own or from what it is part of. */
export function personalDataOf(schema: z.ZodType): PersonalData {
  const marked = new Map<string, PiiMark>();
  const bare = new Set<string>();
  const twice = new Set<string>();

  const visit = (
    part: z.core.$ZodType,
    path: string,
    outer: false | undefined,
    above: ReadonlySet<z.core.$ZodType>,
  ): void => {
    // A schema that contains itself would never end; what is inside has been seen one round above.
    if (above.has(part)) return;
    const mark = markOf(part);
    if (mark) {
      if (outer === false) twice.add(path);
      marked.set(path, mark);
      return;
    }
    const here = mark ?? outer;
    const { same, fields, items, names, values, plain } = schemaParts(part);
    const inside = new Set([...above, part]);
    const below = (schemas: Iterable<z.core.$ZodType>, to: string): void => {
      for (const inner of schemas) visit(inner, to, here, inside);
    };
    const member = (name: string): string => (path === '' ? name : `${path}.${name}`);
    below(same, path);
    below(items, `${path}[]`);
    below(names, member('<name>'));
    below(values, member('*'));
    for (const [name, field] of fields) below([field], member(name));
    if (plain && here === undefined) bare.add(path);
  };
  visit(schema, '', undefined, new Set());

  const shown = (path: string): string => path || 'all of it';
  return {
    fields: [...marked].map(([path, mark]) => ({ path, ...mark })).sort((a, b) => (a.path < b.path ? -1 : 1)),
    faults: [
      // What is personal data in one branch of a union is treated so in all.
      ...[...bare].filter((path) => !marked.has(path)).map((path) => `${shown(path)} is not marked pii() or noPii()`),
      ...[...twice].map((path) => `${shown(path)} is marked pii() within what is marked noPii()`),
    ],
  };
}

const NONE: ReadonlySet<z.core.$ZodType> = new Set();

/** The texts and numbers of a value that its schema marks as personal data. The value need not be valid. */
export function personalValues(schema: z.ZodType, value: unknown): string[] {
  const found = new Set<string>();
  const visit = (part: z.core.$ZodType, held: unknown, above: ReadonlySet<z.core.$ZodType>): void => {
    if (held === undefined || held === null || above.has(part)) return;
    const mark = markOf(part);
    if (mark) return addLeaves(held, found);
    // The Registry refuses schemas with personal data within what is marked as none.
    if (mark === false) return;
    const { same, fields, items, names, values } = schemaParts(part);
    if (same.length > 0) {
      const here = new Set([...above, part]);
      for (const inner of same) visit(inner, held, here);
    }
    if (typeof held !== 'object') return;
    // A value within the value: it may be read by the same schema again.
    if (Array.isArray(held)) {
      // Asked of the items once: one body may hold tens of thousands.
      const marked = items.filter((inner) => markOf(inner) !== false);
      for (const inner of marked) for (const item of held) visit(inner, item, NONE);
      return;
    }
    for (const [name, member] of Object.entries(held)) {
      for (const inner of names) visit(inner, name, NONE);
      const field = fields.get(name);
      for (const inner of field ? [field] : values) visit(inner, member, NONE);
    }
  };
  visit(schema, value, NONE);
  return [...found];
}

function addLeaves(held: unknown, found: Set<string>): void {
  if (typeof held === 'string' && held.trim() !== '') found.add(held.trim());
  if (typeof held === 'number' || typeof held === 'bigint') found.add(String(held));
  if (typeof held === 'object' && held !== null) for (const inner of Object.values(held)) addLeaves(inner, found);
}
