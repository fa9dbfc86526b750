import type { Secret } from '@coordinator/config';
import { z } from 'zod';
import { currentDestinations, refuseUndeclared } from './destinations.ts';
import type { AuthHeaders, DownstreamAuth, SendTokenRequest } from './downstream-auth.ts';
import { readBaseUrl } from './target.ts';

/** How to get a token by client credentials (RFC 6749 section 4.4). */
export interface OAuth2ClientCredentials {
  /** The token endpoint, absolute. From configuration. */
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: Secret;
  /** Where the credentials go: fields of the form, or Basic authentication. */
  readonly style: 'form' | 'basic';
  /** Further fields of the form, such as `token_type: 'jwt'` for Open edX or a `scope`. Default none. */
  readonly extra?: Readonly<Record<string, string>>;
  /** The word before the token: `JWT` for Open edX, `Bearer` for most. */
  readonly scheme: 'JWT' | 'Bearer';
}

interface Token {
  readonly headers: AuthHeaders;
  /** By the clock that only goes forward. */
  readonly freshUntilMs: number;
}

const EXPIRY_MARGIN_MS = 5_000;
const SHARE_OF_LIFE = 0.8;
/** RFC 6749 section 5.1 lets a server leave the life of a token out. */
const UNSTATED_LIFE_SECONDS = 300;

const tokenAnswer = z.object({
  // Anything else would be a second header, or none.
  access_token: z.string().regex(/^[\x21-\x7e]+$/),
  expires_in: z.coerce.number().positive().default(UNSTATED_LIFE_SECONDS),
});

/**
 * A token by client credentials, kept until 5 s before its end or for 80 % of its life, whichever is earlier. One call
 * for a token at a time, whoever waits; a failed one is forgotten; after a 401 the token is dropped.
 *
 * @param now milliseconds of a clock that only goes forward; default performance.now
 * @throws RangeError when the token URL is not an http(s) address; DestinationError as for a DownstreamClient
 */
export function oauth2ClientCredentials(
  options: OAuth2ClientCredentials,
  now: () => number = () => performance.now(),
): DownstreamAuth {
  const url = readBaseUrl(options.tokenUrl);
  refuseUndeclared(url, currentDestinations());
  let token: Token | undefined;
  let coming: Promise<AuthHeaders> | undefined;

  const fetchToken = async (send: SendTokenRequest): Promise<AuthHeaders> => {
    // Counted from before the call: the token may have been made at its very beginning.
    const askedAtMs = now();
    const answer = await send({ url, ...credentials(options), answer: tokenAnswer });
    const lifeMs = answer.expires_in * 1_000;
    const freshForMs = Math.min(lifeMs - EXPIRY_MARGIN_MS, lifeMs * SHARE_OF_LIFE);
    const headers = { authorization: `${options.scheme} ${answer.access_token}` };
    token = { headers, freshUntilMs: askedAtMs + freshForMs };
    return headers;
  };

  return {
    headers: (send) => {
      if (token && now() < token.freshUntilMs) return token.headers;
      return (coming ??= fetchToken(send).finally(() => (coming = undefined)));
    },
    rejected: ({ authorization }) => {
      // Another call may have brought a new token since; that one has not been refused.
      if (token?.headers.authorization === authorization) token = undefined;
      return true;
    },
  };
}

function credentials(options: OAuth2ClientCredentials): { form: Record<string, string>; headers: AuthHeaders } {
  const { clientId, clientSecret, style, extra } = options;
  const form = { ...extra, grant_type: 'client_credentials' };
  if (style === 'form') {
    return { form: { ...form, client_id: clientId, client_secret: clientSecret.reveal() }, headers: {} };
  }
  // RFC 6749 section 2.3.1 has both parts form-encoded before they are joined.
  const pair = `${formEncoded(clientId)}:${formEncoded(clientSecret.reveal())}`;
  return { form, headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` } };
}

function formEncoded(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1);
}
