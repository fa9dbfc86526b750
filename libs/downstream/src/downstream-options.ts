import { LONGEST_TIMER_MS } from '@coordinator/config';
import type { DownstreamAuth } from './downstream-auth.ts';
import { defaultBreaker, type BreakerPolicy, type ProtectionPolicy } from './protection-policy.ts';
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
  /**
   * Most connections of this process to one host, and so most calls at once: a share of the worker's attempts, so that a
   * downstream that hangs leaves some to its neighbours. Further calls wait in order for up to 1 s while connections
   * change hands, else their jobs snooze. Default: half of WORKER_CONCURRENCY, rounded up; 20 outside of workers.
   */
  readonly maxConnections?: number;
  /** Most calls per second, of all workers together. A call waits up to 1 s for its turn, else its job snoozes. Default none. */
  readonly ratePerSecond?: number;
  /** Calls that may be made at once after a quiet time, within the rate. Default 1: calls are spaced evenly. */
  readonly burst?: number;
  /** Most calls in flight, of all workers together. A call waits up to 1 s, else its job snoozes. Default none. */
  readonly maxConcurrent?: number;
  /** When the circuit breaker opens, and for how long. Default: see {@link BreakerPolicy}. */
  readonly breaker?: Partial<BreakerPolicy>;
  /** A downstream cannot put its calls off for longer than this. Default 3 600 000, one hour. */
  readonly retryAfterCapMs?: number;
  /**
   * Finds the service's own error code in a refusal, for the error message: `card_declined`. Return a code and no text
   * written for people, which may quote personal data; it is cut after 200 characters. Default: no code.
   */
  readonly describeError?: (status: number, body: unknown) => string | undefined;
}

/** Options with their defaults, checked. */
export type DownstreamSettings = ProtectionPolicy &
  Required<Omit<DownstreamOptions, 'baseUrl' | 'auth' | 'describeError' | 'maxConnections' | keyof ProtectionPolicy>> &
  Pick<DownstreamOptions, 'describeError'> & {
    readonly maxConnections: number | undefined;
    readonly baseUrl: URL;
    readonly auth: readonly DownstreamAuth[];
  };

const LIMITS = [
  'connectTimeoutMs',
  'headersTimeoutMs',
  'totalTimeoutMs',
  'maxResponseBytes',
  'maxConnections',
  'retryAfterCapMs',
  'burst',
  'maxConcurrent',
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
    maxConnections: given.maxConnections,
    ratePerSecond: given.ratePerSecond,
    burst: given.burst ?? 1,
    maxConcurrent: given.maxConcurrent,
    breaker: { ...defaultBreaker, ...given.breaker },
    retryAfterCapMs: given.retryAfterCapMs ?? 3_600_000,
    auth: [auth].flat(),
    baseUrl: readBaseUrl(baseUrl),
  };
  const limits = [
    ...LIMITS.map((limit) => [limit, settings[limit]] as const),
    ...Object.entries(settings.breaker).map(([limit, value]) => [`breaker.${limit}`, value] as const),
  ];
  for (const [limit, value = 1] of limits) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`${given.name}: ${limit} must be a whole number of at least 1`);
    }
    if (limit.endsWith('TimeoutMs') && value > LONGEST_TIMER_MS) {
      throw new RangeError(`${given.name}: ${limit} must be at most ${LONGEST_TIMER_MS}, 24 days`);
    }
  }
  const { ratePerSecond: rate = 1 } = settings;
  if (!(rate > 0 && rate < Infinity)) throw new RangeError(`${given.name}: ratePerSecond must be a number above 0`);
  return settings;
}
