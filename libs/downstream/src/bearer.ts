import type { Secret } from '@coordinator/config';
import type { DownstreamAuth } from './downstream-auth.ts';

/** `Authorization: Bearer <token>` (RFC 6750) with a token that does not change, such as the API key of Stripe. */
export function bearer(token: Secret): DownstreamAuth {
  return { headers: () => ({ authorization: `Bearer ${token.reveal()}` }) };
}
