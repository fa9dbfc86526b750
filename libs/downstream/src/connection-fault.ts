import { errors } from 'undici';
import { Deadline } from './deadline.ts';
import type { Fault } from './ending.ts';

/** What an error of undici or of a socket says about the request. `sent`: whether any of it may have been written. */
export function connectionFault(error: unknown, sent: boolean): Fault {
  const type = codeOf(error);
  if (sent) return { kind: isUnreadable(error) ? 'unreadable' : 'lost', type, cause: error };
  return { kind: type === 'UND_ERR_INVALID_ARG' ? 'refused' : 'unsent', type, cause: error };
}

/** What an aborted signal says about the request. */
export function abortFault(reason: unknown, sent: boolean): Fault {
  const type = reason === Deadline.timedOut ? 'timeout' : 'aborted';
  return { kind: sent ? 'lost' : 'unsent', type, cause: reason };
}

function isUnreadable(error: unknown): boolean {
  if (error instanceof errors.HeadersOverflowError) return true;
  // It holds what could not be parsed: nothing, when the connection ended in the middle, which is a lost answer.
  // undici's types do not know the property.
  return error instanceof errors.HTTPParserError && (error as { data?: unknown }).data !== '';
}

function codeOf(error: unknown): string {
  const { code, name } = Object(error) as { code?: unknown; name?: unknown };
  if (typeof code === 'string') return code;
  return typeof name === 'string' ? name : '_OTHER';
}
