import { AsyncLocalStorage } from 'node:async_hooks';

/** Asked for at the first text only: most of what runs writes none. */
type Values = () => readonly string[];

const hidden = new AsyncLocalStorage<Values>();

/** Runs something so that none of these values is in a text that is masked meanwhile, such as a log line. */
export function hidingValues<T>(valuesOf: Values, run: () => T): T {
  let values: readonly string[] | undefined;
  return hidden.run(() => (values ??= valuesOf()), run);
}

/** The values that are hidden where this is called. */
export function hiddenValues(): readonly string[] {
  return hidden.getStore()?.() ?? [];
}

/** The text with each value that stands in it as a word of its own, in any case, replaced. */
export function replaceValues(text: string, values: readonly string[], replacement: string): string {
  if (values.length === 0) return text;
  const lowerCase = text.toLowerCase();
  const found = values
    .filter(({ length }) => length > 0 && length <= text.length)
    .flatMap((value) => [value, encoded(value)])
    .filter((value) => lowerCase.includes(value.toLowerCase()));
  // The longest first: one may be part of another.
  return found
    .sort((a, b) => b.length - a.length)
    .reduce((left, value) => left.replace(asWord(value), () => replacement), text);
}

/** As it stands in an address. */
function encoded(value: string): string {
  try {
    return encodeURIComponent(value);
  } catch {
    // Half a surrogate pair is in no address.
    return value;
  }
}

function asWord(value: string): RegExp {
  const literal = value.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  return new RegExp(`(?<![\\p{L}\\p{N}])${literal}(?![\\p{L}\\p{N}])`, 'giu');
}
