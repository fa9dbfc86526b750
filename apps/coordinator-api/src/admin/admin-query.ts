import { CoordinatorError } from '@coordinator/tasks';
import { isPlainText } from './plain-text.ts';

const LIMIT = /^[1-9]\d{0,3}$/;
const CURSOR = /^[\w-]{1,700}$/;

/** Most that one page of a list holds, and what it holds unless told otherwise. */
export const PAGE = { most: 200, usual: 100 } as const;

/** The query of a URL, read strictly: what is not known, comes twice or has no value is refused. */
export class AdminQuery {
  readonly #parameters: URLSearchParams;

  /** @param url path and query */
  constructor(url: string) {
    const start = url.indexOf('?');
    this.#parameters = new URLSearchParams(start === -1 ? '' : url.slice(start));
  }

  /** Refuses all parameters but these. @throws CoordinatorError COORD_QUERY_INVALID */
  only(...names: readonly string[]): this {
    for (const name of this.#parameters.keys()) {
      // The name is a stranger's: it is not repeated.
      if (!names.includes(name))
        throw invalid(names.length > 0 ? `this list takes ${names.join(', ')}` : 'this takes no query');
    }
    return this;
  }

  /** A text of 1 to 255 characters. @throws CoordinatorError COORD_QUERY_INVALID */
  text(name: string): string | undefined {
    const value = this.#single(name);
    if (value !== undefined && !isPlainText(value)) throw invalid(`${name} is 1 to 255 printable characters`);
    return value;
  }

  /** One of some values. @throws CoordinatorError COORD_QUERY_INVALID */
  oneOf<Value extends string>(name: string, values: readonly Value[]): Value | undefined {
    const value = this.#single(name);
    if (value === undefined || (values as readonly string[]).includes(value)) return value as Value | undefined;
    throw invalid(`${name} is one of ${values.join(', ')}`);
  }

  /** How many a page is to hold. @throws CoordinatorError COORD_QUERY_INVALID */
  limit(): number {
    const value = this.#single('limit') ?? String(PAGE.usual);
    if (!LIMIT.test(value) || Number(value) > PAGE.most)
      throw invalid(`limit is a whole number from 1 to ${PAGE.most}`);
    return Number(value);
  }

  /** Where the page before has ended, see cursorOf. @throws CoordinatorError COORD_QUERY_INVALID */
  cursor(): string[] | undefined {
    const value = this.#single('cursor');
    return value === undefined ? undefined : readCursor(value);
  }

  #single(name: string): string | undefined {
    const [value, ...others] = this.#parameters.getAll(name);
    if (others.length > 0) throw invalid(`${name} may come once`);
    return value;
  }
}

/** The parts of a cursor; callers are not to know that it has some. @throws CoordinatorError COORD_QUERY_INVALID */
export function readCursor(cursor: string): string[] {
  const text = Buffer.from(cursor, 'base64url').toString();
  // Of several ways to write the same bytes one is ours.
  if (!CURSOR.test(cursor) || Buffer.from(text).toString('base64url') !== cursor) throw cursorOfAnother();
  return text.split('\n');
}

/** A cursor that holds what the next page needs; null where there is no next page. */
export function cursorOf(parts: readonly (string | number)[] | undefined): string | null {
  return parts === undefined ? null : Buffer.from(parts.join('\n')).toString('base64url');
}

/** The refusal of a cursor that no answer of this list has had. */
export function cursorOfAnother(): CoordinatorError {
  return invalid('cursor is none of this list: begin again without it');
}

/** The refusal of a query. */
export function invalid(message: string): CoordinatorError {
  return new CoordinatorError('COORD_QUERY_INVALID', message);
}
