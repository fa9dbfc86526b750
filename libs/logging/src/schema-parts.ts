import type { z } from 'zod';

/** What a schema says about the values within a value. */
export interface SchemaParts {
  /** Schemas of the same value: what a wrapper such as optional() holds, the sides of a union or pipe. */
  readonly same: readonly z.core.$ZodType[];
  /** The fields of an object. */
  readonly fields: ReadonlyMap<string, z.core.$ZodType>;
  /** Of the items of an array. */
  readonly items: readonly z.core.$ZodType[];
  /** Of the names in a record. */
  readonly names: readonly z.core.$ZodType[];
  /** Of the values in a record, and of members that an object takes without naming them. */
  readonly values: readonly z.core.$ZodType[];
  /** Whether the value is a text, number or the like, which has nothing within. */
  readonly plain: boolean;
}

const NOTHING: SchemaParts = { same: [], fields: new Map(), items: [], names: [], values: [], plain: false };

const taken = new WeakMap<z.core.$ZodType, SchemaParts>();

/** Takes a schema apart, by one layer. */
export function schemaParts(schema: z.core.$ZodType): SchemaParts {
  // Each item of a list asks for the same ones.
  const known = taken.get(schema);
  if (known) return known;
  const parts = takeApart(schema);
  taken.set(schema, parts);
  return parts;
}

function takeApart(schema: z.core.$ZodType): SchemaParts {
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
      return { ...NOTHING, same: [def.innerType] };
    case 'lazy':
      return { ...NOTHING, same: [def.getter()] };
    case 'pipe':
      // A transform says nothing about the value; the schema on its other side does.
      return { ...NOTHING, same: [def.in, def.out].filter((side) => side._zod.def.type !== 'transform') };
    case 'union':
      return { ...NOTHING, same: def.options };
    case 'intersection':
      return { ...NOTHING, same: [def.left, def.right] };
    case 'array':
      return { ...NOTHING, items: [def.element] };
    case 'tuple':
      return { ...NOTHING, items: [...def.items, ...(def.rest ? [def.rest] : [])] };
    case 'record':
      return { ...NOTHING, names: [def.keyType], values: [def.valueType] };
    case 'object': {
      const open = def.catchall && def.catchall._zod.def.type !== 'never' ? [def.catchall] : [];
      return { ...NOTHING, fields: new Map(Object.entries(def.shape)), values: open };
    }
    default:
      return { ...NOTHING, plain: true };
  }
}
