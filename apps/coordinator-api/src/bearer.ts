import type { Secret } from '@coordinator/config';
import { CoordinatorError } from '@coordinator/tasks';
import { hash } from 'node:crypto';

/**
 * Finds the caller whose token an Authorization header shows.
 *
 * @throws CoordinatorError COORD_UNAUTHORIZED, and COORD_RATE_LIMITED where callers have a limit
 */
export type BearerCheck = (authorization: string | undefined) => string;

/** Makes the check for a set of named tokens. */
export function bearerCheck(tokens: ReadonlyMap<string, Secret>): BearerCheck {
  // Looked up by digest, so that the time it takes says nothing about the token.
  const callers = new Map(Array.from(tokens, ([caller, token]) => [digest(token.reveal()), caller]));
  return (authorization) => {
    const token = /^Bearer ([\x21-\x7e]+)$/i.exec(authorization ?? '')?.[1];
    const caller = token === undefined ? undefined : callers.get(digest(token));
    if (caller === undefined) throw new CoordinatorError('COORD_UNAUTHORIZED');
    return caller;
  };
}

function digest(token: string): string {
  return hash('sha256', token, 'base64');
}
