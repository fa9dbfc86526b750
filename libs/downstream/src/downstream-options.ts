import type { DownstreamAuth } from './downstream-auth.ts';
import { readBaseUrl } from './target.ts';

/** How a downstream is called. */
export interface DownstreamOptions {
  /** Names the service in spans, metrics and error messages: `stripe`, `lms`. */
  readonly name: string;
  /** `http:` or `https:`, may have a path; no user, query or fragment. From configuration, never from a payload. */
  readonly baseUrl: string;
  /** Who is calling; several are used together. Default: nobody in particular. */
  readonly auth?: DownstreamAuth | readonly DownstreamAuth[];
  /** Headers of every call, such as `Stripe-Version`. Default none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The header that takes idempotency keys. Default `Idempotency-Key`; PayPal's is `PayPal-Request-Id`. */
  readonly idempotencyHeader?: string;
  /** Longest time to get a connection, TLS included. Default 2 000. Kept to within a second: undici's timers are coarse. */
  readonly connectTimeoutMs?: number;
  /** Longest time from sending the request to the headers of the answer. Default 10 000. */
  readonly headersTimeoutMs?: number;
  /** Longest time of a whole call: token, wait for a connection, headers, body, repetition after 401. Default 15 000. */
  readonly totalTimeoutMs?: number;
  /** Largest body of an answer. Default 1 MiB. Compressed answers are refused, so this is what it takes in memory. */
  readonly maxResponseBytes?: number;
  /** Most connections to one host, and so most calls at once; further calls wait in order. Default 20. */
  readonly maxConnections?: number;
  /** A downstream cannot put its calls off for longer than this. Default 3 600 000, one hour. */
  readonly retryAfterCapMs?: number;
  /**
   * Finds the service's own error code in a refusal, for the error message: `card_declined`. Return a code and no text
   * written for people, which may quote personal data; it is cut after 200 characters. Default: no code.
   */
  readonly describeError?: (status: number, body: unknown) => string | undefined;
}

/** Options with their defaults, checked. */
export type DownstreamSettings = Required<Omit<DownstreamOptions, 'baseUrl' | 'auth' | 'describeError'>> &
  Pick<DownstreamOptions, 'describeError'> & { readonly baseUrl: URL; readonly auth: readonly DownstreamAuth[] };

const LIMITS = [
  'connectTimeoutMs',
  'headersTimeoutMs',
  'totalTimeoutMs',
  'maxResponseBytes',
  'maxConnections',
  'retryAfterCapMs',
] as const;

/** Fills in the defaults. @throws RangeError when the base URL or a limit makes no sense */
export function readOptions({ auth = [], baseUrl, ...given }: DownstreamOptions): DownstreamSettings {
  const settings = {
    ...given,
    headers: given.headers ?? {},
    idempotencyHeader: given.idempotencyHeader ?? 'idempotency-key',
    connectTimeoutMs: given.connectTimeoutMs ?? 2_000,
    headersTimeoutMs: given.headersTimeoutMs ?? 10_000,
    totalTimeoutMs: given.totalTimeoutMs ?? 15_000,
    maxResponseBytes: given.maxResponseBytes ?? 1_048_576,
    maxConnections: given.maxConnections ?? 20,
    retryAfterCapMs: given.retryAfterCapMs ?? 3_600_000,
    auth: [auth].flat(),
    baseUrl: readBaseUrl(baseUrl),
  };
  for (const limit of LIMITS) {
    if (!Number.isSafeInteger(settings[limit]) || settings[limit] < 1) {
      throw new RangeError(`${given.name}: ${limit} must be a whole number of at least 1`);
    }
  }
  return settings;
}
