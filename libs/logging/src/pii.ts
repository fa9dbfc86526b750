import { globalRegistry, type z } from 'zod';

/**
 * What kind of personal data a field holds: the `pii_types` of edX (OEP-30,
 * https://open-edx-proposals.readthedocs.io/en/latest/oep-0030-arch-pii-markup-and-auditing.html).
 */
export type PiiType =
  | 'id'
  | 'name'
  | 'username'
  | 'password'
  | 'location'
  | 'phone_number'
  | 'email_address'
  | 'birth_date'
  | 'ip'
  | 'external_service'
  | 'biography'
  | 'gender'
  | 'sex'
  | 'image'
  | 'video'
  | 'other';

/**
 * Who has it erased, the `pii_retirement` of the same source:
 * - `local_api`: our own `npm run erase`, because it goes nowhere else.
 * - `consumer_api`: also the service that we pass it on to, a part of the same platform with a way to retire a user.
 * - `third_party`: also somebody else's service that we pass it on to, by its own rules.
 * - `retained`: nobody; it is kept on purpose, for legal reasons.
 */
export type PiiRetirement = 'retained' | 'local_api' | 'consumer_api' | 'third_party';

/** What is said about personal data. */
export interface PiiMark {
  readonly type: PiiType;
  readonly retirement: PiiRetirement;
}

/**
 * Marks a field of a schema, with all that is in it, as personal data. The mark is zod metadata (`pii`), so it shows in
 * generated JSON schemas and is seen by every copy of zod in the process; a registry of our own would be neither.
 */
export function pii<S extends z.ZodType>(schema: S, type: PiiType, retirement: PiiRetirement): S {
  return schema.meta({ pii: { type, retirement } });
}

/**
 * Marks a schema, with all that is in it, as no personal data; or, beside fields that are, some fields of an object:
 * `z.strictObject({ username: pii(…), ...noPii({ sku: …, quantity: … }) })`.
 *
 * @throws RangeError for a schema that is marked pii()
 */
export function noPii<S extends z.ZodType>(schema: S): S;
export function noPii<Fields extends Readonly<Record<string, z.ZodType>>>(fields: Fields): Fields;
export function noPii(marked: z.ZodType | Readonly<Record<string, z.ZodType>>): unknown {
  if ('_zod' in marked) return withoutPii(marked as z.ZodType);
  return Object.fromEntries(Object.entries(marked).map(([name, field]) => [name, withoutPii(field)]));
}

function withoutPii(schema: z.ZodType): z.ZodType {
  if (markOf(schema)) throw new RangeError('noPii() was given a schema that is marked pii(): take one of them away');
  return schema.meta({ pii: false });
}

/** The mark of a schema itself: false for no personal data, undefined where nobody has said anything. */
export function markOf(schema: z.core.$ZodType): PiiMark | false | undefined {
  if (marks.has(schema)) return marks.get(schema);
  const mark = globalRegistry.get(schema)?.pii as PiiMark | false | undefined;
  marks.set(schema, mark);
  return mark;
}

/** A mark belongs to its schema from the beginning, and zod takes long to look it up: hostile bodies have 100 000 items. */
const marks = new WeakMap<z.core.$ZodType, PiiMark | false | undefined>();
