import type { z } from 'zod';

/** Headers that carry credentials. Names in lower case. */
export type AuthHeaders = Readonly<Record<string, string>>;

/** A call for a token. */
export interface TokenRequest<T> {
  /** The token endpoint, absolute; may be another host than the service's. */
  readonly url: URL;
  readonly form: Readonly<Record<string, string>>;
  readonly headers: AuthHeaders;
  readonly answer: z.ZodType<T>;
}

/**
 * Makes a call for a token through the connections, limits and spans of the client that needs it.
 *
 * @throws DownstreamError never `unknown-outcome`: the call that needs the token has not been made.
 */
export type SendTokenRequest = <T>(request: TokenRequest<T>) => Promise<T>;

/** A way to show who is calling. Give the same one to several clients and they share its token. */
export interface DownstreamAuth {
  /** The headers for the next call. */
  headers(send: SendTokenRequest): AuthHeaders | Promise<AuthHeaders>;
  /**
   * Told that a call with these headers was answered 401. Absent where credentials never change.
   * @returns whether another try may succeed
   */
  rejected?(headers: AuthHeaders): boolean;
}

/** Several ways at once, such as an OAuth token and an API key. Where they set the same header the last one wins. */
export function allOf(auths: readonly DownstreamAuth[]): DownstreamAuth {
  return {
    headers: async (send) => Object.assign({}, ...(await Promise.all(auths.map(async (auth) => auth.headers(send))))),
    // Not `some`: it would stop asking at the first, and each must hear of it.
    rejected: (headers) => auths.map((auth) => auth.rejected?.(headers) ?? false).includes(true),
  };
}
