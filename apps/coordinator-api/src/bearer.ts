import type { NamedTokens } from '@coordinator/config';
import { CoordinatorError } from '@coordinator/tasks';
import { hash } from 'node:crypto';
import type { JwtCheck } from './jwt.ts';

/**
 * Finds the caller whose token an Authorization header shows.
 *
 * @throws CoordinatorError COORD_UNAUTHORIZED, COORD_FORBIDDEN, and COORD_RATE_LIMITED where callers have a limit
 */
export type BearerCheck = (authorization: string | undefined) => Promise<string>;

/** Makes the check for a set of named tokens, and for JWTs where there is a check of those. */
export function bearerCheck(tokens: NamedTokens, jwt?: JwtCheck): BearerCheck {
  // Looked up by digest, so that the time it takes says nothing about the token.
  const callers = new Map(tokens.map(([caller, token]) => [digest(token.reveal()), caller]));
  return async (authorization) => {
    const token = /^Bearer ([\x21-\x7e]+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) throw new CoordinatorError('COORD_UNAUTHORIZED');
    const key = digest(token);
    const caller = callers.get(key) ?? (await jwt?.callerOf(token, key));
    if (caller === undefined) throw new CoordinatorError('COORD_UNAUTHORIZED');
    return caller;
  };
}

function digest(token: string): string {
  return hash('sha256', token, 'base64');
}
