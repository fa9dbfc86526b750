import { z } from 'zod';

/**
 * What a field builder returns: a schema from the variable's text to T. It is required until `.optional()` or
 * `.default(value)` (a value of type T) is called on it.
 */
export type Field<T> = z.ZodType<T, unknown>;

/**
 * Makes a field from a reader of text. Exported so that an extension can add a kind of value of its own.
 * @param read returns the value, or throws a FieldFault whose message completes the sentence "X …"
 */
export function field<T>(read: (text: string) => T): Field<T> {
  return z.string().transform((text, context): T => {
    try {
      return read(text);
    } catch (error) {
      if (!(error instanceof FieldFault)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
      return z.NEVER;
    }
  });
}

/** A text that is no value of its field. The message completes the sentence "X …" and never quotes the text. */
export class FieldFault extends Error {
  override readonly name = 'FieldFault';
}

/** The field itself, or with a default when one is given. */
export function withDefault<T>(required: Field<T>, byDefault: T | undefined): Field<T> {
  return byDefault === undefined ? required : (required.default(byDefault as z.core.util.NoUndefined<T>) as Field<T>);
}

/** The parts of a comma separated list, without surrounding space and without empty parts. */
export function commaSeparated(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
