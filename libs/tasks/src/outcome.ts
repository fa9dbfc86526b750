import { maskText } from '@coordinator/logging';
import { exponential } from './backoff.ts';
import { CoordinatorError, type CoordinatorErrorCode } from './error-codes.ts';
import type { AnyTask } from './task.ts';
import { Cancellation, Snooze, TaskError } from './task-error.ts';

/** What is stored and shown of a failure. */
export interface Failure {
  readonly code: CoordinatorErrorCode;
  /** At most 1 000 characters. */
  readonly message: string;
}

/** How an attempt ended. */
export type Outcome =
  | { readonly kind: 'completed' }
  | { readonly kind: 'retried'; readonly delayMs: number; readonly error: Failure }
  | { readonly kind: 'snoozed'; readonly delayMs: number; readonly error: Failure }
  | { readonly kind: 'parked'; readonly reason: ParkReason }
  | { readonly kind: 'cancelled'; readonly error: Failure }
  | { readonly kind: 'dead'; readonly reason: DeadReason; readonly error: Failure };

/** Why a job is a dead letter. */
export type DeadReason =
  'permanent' | 'attempts-spent' | 'gave-up' | 'payload-invalid' | 'unreadable' | 'crashed-worker';

/** Why a job waits for a worker that can read it: one of another release, or one with the key that is named. */
export type ParkReason =
  | 'task-unknown'
  | 'payload-version-unknown'
  | 'payload-version-too-old'
  | 'envelope-version-unknown'
  | `key-unknown:${string}`;

/** What no further attempt of this release would mend. */
const UNFIT: ReadonlySet<CoordinatorErrorCode> = new Set(['COORD_PAYLOAD_INVALID', 'COORD_UPCAST_FAILED']);
const fallbackBackoff = exponential();
const MAX_MESSAGE = 1_000;
/** A downstream cannot put a job off for longer than this. Source: our own cap; RFC 9110 sets none for Retry-After. */
const MAX_SNOOZE_MS = 3_600_000;
/** Nor for less: what spends no attempt must not come back at once, again and again. */
const MIN_SNOOZE_MS = 1_000;
/** For a rate limit that names no time: snoozing spends no attempt, so the backoff alone would stay at its first step. */
const UNSTATED_PAUSE_MS = 30_000;

/** What is kept of an error: a code and a short message, masked as a log line is, no stack, no cause. */
export function failureOf(error: unknown): Failure {
  const coded = error instanceof CoordinatorError || error instanceof Snooze;
  if (coded && error.code) return { code: error.code, message: shown(error.message) };
  const message = error instanceof Error ? `${error.name}: ${error.message}` : textOf(error);
  return { code: 'COORD_HANDLER_FAILED', message: shown(message) };
}

/** What was thrown need not be a text, nor become one. */
function textOf(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return 'something that has no text';
  }
}

function shown(message: string): string {
  return maskText(message).slice(0, MAX_MESSAGE);
}

/** The place of an attempt in the life of its job. */
export interface AttemptFacts {
  /** See countedAttempt(). */
  readonly attempt: number;
  /** Time since its first attempt began. */
  readonly ageMs: number;
  readonly random?: () => number;
}

/** Turns whatever a handler threw into an outcome; the only place that decides about retries. */
export function classify(error: unknown, task: AnyTask, facts: AttemptFacts): Outcome {
  const failure = failureOf(error);
  if (error instanceof Cancellation) return { kind: 'cancelled', error: failure };
  if (error instanceof CoordinatorError && UNFIT.has(error.code)) {
    return { kind: 'dead', reason: 'payload-invalid', error: failure };
  }
  if (error instanceof CoordinatorError && error.code === 'COORD_ENVELOPE_UNREADABLE') {
    return { kind: 'dead', reason: 'unreadable', error: failure };
  }
  if (error instanceof TaskError && error.kind === 'permanent') {
    return { kind: 'dead', reason: 'permanent', error: failure };
  }

  const waits = error instanceof Snooze || (error instanceof TaskError && error.kind === 'rate-limited');
  if (!waits && facts.attempt >= task.maxAttempts) return { kind: 'dead', reason: 'attempts-spent', error: failure };
  const delayMs = delayAfter(error, task, facts);
  if (facts.ageMs + delayMs > task.giveUpAfterMs) return { kind: 'dead', reason: 'gave-up', error: failure };
  return { kind: waits ? 'snoozed' : 'retried', delayMs, error: failure };
}

function delayAfter(error: unknown, task: AnyTask, { attempt, random }: AttemptFacts): number {
  if (error instanceof Snooze) return error.delayMs;
  const backoffMs = backoffOf(task, attempt, random);
  if (!(error instanceof TaskError)) return backoffMs;
  const retryAfterMs = error.retryAfterMs ?? (error.kind === 'rate-limited' ? UNSTATED_PAUSE_MS : undefined);
  if (retryAfterMs === undefined) return backoffMs;
  // Never before the time the downstream named, and spread after it: all callers were told the same time.
  return Math.max(MIN_SNOOZE_MS, Math.min(retryAfterMs, MAX_SNOOZE_MS)) + backoffMs;
}

/** A backoff of the task's own may throw or give no number; a mistake there must not cost the job. */
function backoffOf(task: AnyTask, attempt: number, random: (() => number) | undefined): number {
  try {
    const delayMs = task.backoff(attempt, random);
    if (delayMs >= 0 && delayMs < Infinity) return delayMs;
  } catch {
    // As for a delay that is no time.
  }
  return fallbackBackoff(attempt, random);
}
