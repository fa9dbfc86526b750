import { CoordinatorError } from '@coordinator/tasks';
import { isUtf8 } from 'node:buffer';

/** How deep arrays and objects may lie in each other. */
export const MAX_DEPTH = 64;
/** How many members one object may have. How many a body has is bounded by its bytes. */
export const MAX_MEMBERS = 1_000;

const QUOTE = 0x22;
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
 * @throws CoordinatorError COORD_BODY_MALFORMED (not JSON, not UTF-8, too deep, a name twice or one that replaces
 *   prototypes), COORD_BODY_INVALID (a number or a text that cannot be kept as it was sent). No message quotes the text.
 */
export function parseStrictJson(bytes: Buffer): unknown {
  const text = bytes.toString('utf8', startsWithByteOrderMark(bytes) ? 3 : 0);
  // What cannot be decoded becomes U+FFFD; only where there is one the bytes are looked at again.
  if (text.includes('\ufffd') && !isUtf8(bytes)) throw malformed('The body must be UTF-8');
  const written = countMembers(text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message quotes the text.
    throw malformed('The body must be JSON');
  }
  // JSON.parse keeps the last of several members with one name, so that then fewer are kept than were written.
  if (inspect(value) !== written) throw malformed('An object of the body has two members with one name');
  return Object.is(value, -0) ? 0 : value;
}

/** Counts the members of all objects before anything is built of them. What is no JSON, JSON.parse finds. */
function countMembers(text: string): number {
  let members = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(text, at);
        break;
      case COLON:
        members += 1;
        break;
      case OPEN_BRACE:
      case OPEN_BRACKET:
        depth += 1;
        if (depth > MAX_DEPTH) throw malformed(`The body may have at most ${MAX_DEPTH} levels`);
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        depth -= 1;
    }
  }
  return members;
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
function inspect(value: unknown): number {
  if (typeof value === 'string') assertText(value);
  else if (typeof value === 'number') assertNumber(value);
  else if (Array.isArray(value)) return inspectItems(value);
  else if (value !== null && typeof value === 'object') return inspectMembers(value as Record<string, unknown>);
  return 0;
}

function inspectItems(items: unknown[]): number {
  let members = 0;
  for (let at = 0; at < items.length; at += 1) {
    members += inspect(items[at]);
    if (Object.is(items[at], -0)) items[at] = 0;
  }
  return members;
}

function inspectMembers(object: Record<string, unknown>): number {
  const names = Object.keys(object);
  if (names.length > MAX_MEMBERS) throw malformed(`An object may have at most ${MAX_MEMBERS} members`);
  let members = names.length;
  for (const name of names) {
    const value = object[name];
    if (name === '__proto__' || (name === 'constructor' && holdsPrototype(value))) {
      throw malformed('The names __proto__ and constructor.prototype are not taken');
    }
    assertText(name);
    members += inspect(value);
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
    throw new CoordinatorError('COORD_BODY_INVALID', 'A number of the body is too large to be kept exactly');
  }
}

function startsWithByteOrderMark(bytes: Buffer): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}

function malformed(message: string): CoordinatorError {
  return new CoordinatorError('COORD_BODY_MALFORMED', message);
}
