import { commaSeparated, field, FieldFault, withDefault, type Field } from './field.ts';

const FLAG_WORDS = new Map([
  ...['true', '1', 'yes', 'on'].map((word) => [word, true] as const),
  ...['false', '0', 'no', 'off'].map((word) => [word, false] as const),
]);

/** A text as it stands, surrounding space removed. Required when no default is given. */
export function text(byDefault?: string): Field<string> {
  return withDefault(
    field((raw) => raw.trim()),
    byDefault,
  );
}

/** A yes or no: true, 1, yes, on / false, 0, no, off, in any case. Required when no default is given. */
export function flag(byDefault?: boolean): Field<boolean> {
  const read = (raw: string): boolean => {
    const value = FLAG_WORDS.get(raw.trim().toLowerCase());
    if (value === undefined) throw new FieldFault('must be true or false');
    return value;
  };
  return withDefault(field(read), byDefault);
}

/** One of the given words, exactly. Required when no default is given. */
export function oneOf<const T extends string>(words: readonly T[], byDefault?: NoInfer<T>): Field<T> {
  const read = (raw: string): T => {
    const word = words.find((known) => known === raw.trim());
    if (word === undefined) throw new FieldFault(`must be one of: ${words.join(', ')}`);
    return word;
  };
  return withDefault(field(read), byDefault);
}

/** A comma separated list of texts; space around a part and empty parts are dropped. Required: add `.default([])`. */
export function list(): Field<string[]> {
  return field(commaSeparated);
}
