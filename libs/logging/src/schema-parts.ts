import { globalRegistry, type z } from 'zod';

/** What a schema says about the value before it and the values within. */
export interface SchemaParts {
  /** Whether the value is marked as personal data, in any of the schemas it may match. */
  pii: boolean;
  /** Whether the value may be a text, number or the like. */
  takesPlainValue: boolean;
  /** The schemas themselves, without wrappers such as optional(). */
  schemas: z.core.$ZodType[];
  /** Schemas of the items of an array. */
  items: z.core.$ZodType[];
  /** Schemas of the values of a record. */
  values: z.core.$ZodType[];
  /** Schemas of the fields of an object. */
  fields: Map<string, z.core.$ZodType[]>;
}

/** Takes schemas apart that apply to the same value: wrappers are opened, all sides of a union or pipe are joined. */
export function schemaParts(schemas: readonly z.core.$ZodType[]): SchemaParts {
  const parts: SchemaParts = {
    pii: false,
    takesPlainValue: false,
    schemas: [],
    items: [],
    values: [],
    fields: new Map(),
  };
  const seen = new Set<z.core.$ZodType>();
  const open = (schema: z.core.$ZodType): void => {
    if (seen.has(schema)) return;
    seen.add(schema);
    parts.schemas.push(schema);
    if (globalRegistry.get(schema)?.pii !== undefined) parts.pii = true;
    take(schema, parts, open);
  };
  schemas.forEach(open);
  return parts;
}

function take(schema: z.core.$ZodType, parts: SchemaParts, open: (schema: z.core.$ZodType) => void): void {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'readonly':
    case 'catch':
    case 'success':
    case 'promise':
      return open(def.innerType);
    case 'lazy':
      return open(def.getter());
    case 'pipe':
      open(def.in);
      return open(def.out);
    case 'union':
      return def.options.forEach(open);
    case 'intersection':
      open(def.left);
      return open(def.right);
    case 'array':
      parts.items.push(def.element);
      return;
    case 'tuple':
      parts.items.push(...def.items, ...(def.rest ? [def.rest] : []));
      return;
    case 'record':
      parts.values.push(def.valueType);
      return;
    case 'object':
      for (const [key, field] of Object.entries(def.shape)) {
        parts.fields.set(key, [...(parts.fields.get(key) ?? []), field]);
      }
      return;
    default:
      parts.takesPlainValue = true;
  }
}
