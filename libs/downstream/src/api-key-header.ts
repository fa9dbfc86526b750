import type { Secret } from '@coordinator/config';
import type { DownstreamAuth } from './downstream-auth.ts';

/** A key in a header of its own, such as `X-Edx-Api-Key`. */
export function apiKeyHeader(name: string, key: Secret): DownstreamAuth {
  return { headers: () => ({ [name.toLowerCase()]: key.reveal() }) };
}
