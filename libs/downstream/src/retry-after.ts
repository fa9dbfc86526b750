import type { AnswerHeaders } from './downstream-answer.ts';

/** How {@link parseRetryAfter} reads. */
export interface RetryAfterOptions {
  /** Longest wait it gives. Default 3 600 000, one hour. */
  readonly capMs?: number;
  /** The wall clock, for headers that name a point in time. Default Date.now(). */
  readonly nowMs?: number;
}

const SECONDS = /^\d+$/;
// The three forms of RFC 9110 section 5.6.7. Date.parse alone would make a date of almost any text with a digit.
const HTTP_DATE =
  /^(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*, \d{2}[ -][A-Z][a-z]{2}[ -]\d{2,4} \d{2}:\d{2}:\d{2} GMT|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4})$/;

/**
 * How long a downstream asks to be left alone, in milliseconds: from `Retry-After` (seconds or a date; RFC 9110 section
 * 10.2.3), else from `X-RateLimit-Reset` (seconds since 1970; a custom of many services). Undefined when neither
 * says anything readable about the future: `0` seconds are no time to wait.
 */
export function parseRetryAfter(headers: AnswerHeaders, options: RetryAfterOptions = {}): number | undefined {
  const { capMs = 3_600_000, nowMs = Date.now() } = options;
  const waitMs = fromRetryAfter(headers['retry-after'], nowMs) ?? fromReset(headers['x-ratelimit-reset'], nowMs);
  return waitMs === undefined ? undefined : Math.min(waitMs, capMs);
}

function fromRetryAfter(text: string | undefined, nowMs: number): number | undefined {
  const value = text?.trim() ?? '';
  if (SECONDS.test(value)) return inFuture(Number(value) * 1_000);
  if (!HTTP_DATE.test(value)) return undefined;
  // The oldest form names no zone; all three mean GMT.
  return inFuture(Date.parse(value.endsWith('GMT') ? value : `${value} GMT`) - nowMs);
}

function fromReset(text: string | undefined, nowMs: number): number | undefined {
  const value = text?.trim() ?? '';
  return SECONDS.test(value) ? inFuture(Number(value) * 1_000 - nowMs) : undefined;
}

function inFuture(waitMs: number): number | undefined {
  return waitMs > 0 ? waitMs : undefined;
}
