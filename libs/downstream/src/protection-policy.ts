/** When the circuit breaker of a downstream opens, and for how long. */
export interface BreakerPolicy {
  /** Opens at this many failures within 30 s, when they are at least half of what ended by then. Default 5. */
  readonly failures: number;
  /** How long it stays open the first time, a quarter more or less. Doubles with every probe that fails. Default 5 000. */
  readonly openMs: number;
  /** The longest that it stays open without a probe. Default 60 000. */
  readonly maxOpenMs: number;
  /** Calls that may probe at once whether the downstream is back. Default 1. */
  readonly probes: number;
}

/** What protects a downstream, counted over all workers that share its state. */
export interface ProtectionPolicy {
  readonly breaker: BreakerPolicy;
  /** Calls per second. Default: no limit. */
  readonly ratePerSecond: number | undefined;
  /** Calls that may be made at once after a quiet time, within the rate. Default 1: evenly spaced. */
  readonly burst: number;
  /** Calls in flight. Default: no limit besides the connections of each worker. */
  readonly maxConcurrent: number | undefined;
}

/** The breaker where nothing else is set. */
export const defaultBreaker: BreakerPolicy = { failures: 5, openMs: 5_000, maxOpenMs: 60_000, probes: 1 };

/** A pause lasts at least this, whatever the downstream says: also where it names no time. */
export const LEAST_PAUSE_MS = 1_000;
/** It doubles with each pause after which no call went well, up to this. What the downstream names may be longer. */
export const MOST_PAUSE_MS = 60_000;
/** Over which failures and tries are counted. */
export const WINDOW_MS = 30_000;
/** The share of failures among the calls that ended from which the breaker opens. */
export const FAILURE_SHARE = 0.5;
/** Retries may be this share of the first tries. */
export const RETRY_SHARE = 0.1;
/** And this many in any case, so that a quiet downstream can retry at all. */
export const RETRIES_PER_SECOND = 1;
