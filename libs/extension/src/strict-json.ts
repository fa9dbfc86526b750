import { CoordinatorError } from '@coordinator/tasks';
import { isUtf8 } from 'node:buffer';

/** How deep arrays and objects may lie in each other. */
export const MAX_DEPTH = 64;
/** How many members one object may have. How many a body has is bounded by its bytes. */
export const MAX_MEMBERS = 1_000;

/** Which values of a body are looked at. */
export type CheckedValues =
  /** All of them: what a caller sends is stored, and can be mended by the caller. */
  | 'all'
  /** None: a provider goes on sending what is refused. What is kept of it is for {@link refuseInexact}. */
  | 'none';

const QUOTE = 0x22;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACE = 0x7d;
const CLOSE_BRACKET = 0x5d;

/**
 * Reads JSON that every reader understands in the same way (I-JSON, https://www.rfc-editor.org/rfc/rfc7493): what
 * JSON.parse would change without a word is refused. A leading byte order mark is skipped, and -0 is read as 0.
 *
 * @throws CoordinatorError COORD_BODY_MALFORMED (not JSON, not UTF-8, or a name that replaces prototypes),
 *   COORD_BODY_TOO_DEEP, COORD_BODY_DUPLICATE_NAME, COORD_BODY_UNSAFE_NUMBER, COORD_BODY_INVALID (a text that cannot be
 *   kept as it was sent). No message quotes the text.
 */
export function parseStrictJson(bytes: Buffer, values: CheckedValues = 'all'): unknown {
  const text = bytes.toString('utf8', startsWithByteOrderMark(bytes) ? 3 : 0);
  // What cannot be decoded becomes U+FFFD; only where there is one the bytes are looked at again.
  if (text.includes('\ufffd') && !isUtf8(bytes)) throw malformed('The body must be UTF-8');
  const written = countMembers(text, values);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message quotes the text.
    throw malformed('The body must be JSON');
  }
  // JSON.parse keeps the last of several members with one name, so that then fewer are kept than were written.
  if (inspect(value, values) !== written) {
    throw new CoordinatorError('COORD_BODY_DUPLICATE_NAME');
  }
  return Object.is(value, -0) ? 0 : value;
}

/** Refuses what cannot be kept as it was sent, anywhere in a value. @throws CoordinatorError as {@link parseStrictJson} */
export function refuseInexact(value: unknown): void {
  inspect(value, 'all');
}

/**
 * Counts the members of all objects before anything is built of them, and looks at numbers while they are as they were
 * written. What is no JSON, JSON.parse finds.
 */
function countMembers(text: string, values: CheckedValues): number {
  let members = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (values === 'all' && (code === MINUS || (code >= ZERO && code <= NINE))) {
      at = endOfNumber(text, at) - 1;
      continue;
    }
    switch (code) {
      case QUOTE:
        at = endOfString(text, at);
        break;
      case COLON:
        members += 1;
        break;
      case OPEN_BRACE:
      case OPEN_BRACKET:
        depth += 1;
        if (depth > MAX_DEPTH) {
          throw new CoordinatorError('COORD_BODY_TOO_DEEP', `The body may have at most ${MAX_DEPTH} levels`);
        }
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        depth -= 1;
    }
  }
  return members;
}

/** From the place where it is put, as lastIndex: a number, or what begins like one. */
const NUMBER = /[-+.\deE]+/y;
const NOT_PLAIN = /[.eE]/;

/** Where a number ends. An integer has to be written as one: `49.00` for an amount in cents is a mistake of the caller. */
function endOfNumber(text: string, start: number): number {
  NUMBER.lastIndex = start;
  const written = NUMBER.exec(text)?.[0] ?? '';
  if (NOT_PLAIN.test(written) && Number.isInteger(Number(written))) {
    const message = 'A number of the body has a fraction or an exponent, and is none with it: write integers as digits';
    throw new CoordinatorError('COORD_BODY_UNSAFE_NUMBER', message);
  }
  return start + written.length;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) break;
    if (code === BACKSLASH) at += 1;
  }
  return at;
}

/** Refuses what cannot be kept as it was sent, turns -0 into 0, and counts the members of all objects. */
function inspect(value: unknown, values: CheckedValues): number {
  if (Array.isArray(value)) return inspectItems(value, values);
  if (value !== null && typeof value === 'object') return inspectMembers(value as Record<string, unknown>, values);
  if (values === 'none') return 0;
  if (typeof value === 'string') assertText(value);
  if (typeof value === 'number') assertNumber(value);
  return 0;
}

function inspectItems(items: unknown[], values: CheckedValues): number {
  let members = 0;
  for (let at = 0; at < items.length; at += 1) {
    members += inspect(items[at], values);
    if (Object.is(items[at], -0)) items[at] = 0;
  }
  return members;
}

function inspectMembers(object: Record<string, unknown>, values: CheckedValues): number {
  const names = Object.keys(object);
  if (names.length > MAX_MEMBERS) throw malformed(`An object may have at most ${MAX_MEMBERS} members`);
  let members = names.length;
  for (const name of names) {
    const value = object[name];
    if (name === '__proto__' || (name === 'constructor' && holdsPrototype(value))) {
      throw malformed('The names __proto__ and constructor.prototype are not taken');
    }
    inspect(name, values);
    members += inspect(value, values);
    if (Object.is(value, -0)) object[name] = 0;
  }
  return members;
}

function holdsPrototype(value: unknown): boolean {
  return value !== null && typeof value === 'object' && Object.hasOwn(value, 'prototype');
}

const HALF_CHARACTER = /\p{Surrogate}/u;

function assertText(text: string): void {
  // Stored as UTF-8, two halves of different pairs would become the same text, such as the same idempotency key.
  if (HALF_CHARACTER.test(text))
    throw new CoordinatorError('COORD_BODY_INVALID', 'A text of the body holds half a character');
  if (text.includes('\u0000')) throw new CoordinatorError('COORD_BODY_INVALID', 'A text of the body holds U+0000');
}

function assertNumber(value: number): void {
  if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) {
    throw new CoordinatorError('COORD_BODY_UNSAFE_NUMBER', 'A number of the body is too large to be kept exactly');
  }
}

function startsWithByteOrderMark(bytes: Buffer): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}

function malformed(message: string): CoordinatorError {
  return new CoordinatorError('COORD_BODY_MALFORMED', message);
}
