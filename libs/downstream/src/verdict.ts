import type { CoordinatorErrorCode, FailureKind } from '@coordinator/tasks';
import { readBody } from './answer-body.ts';
import type { Call } from './call.ts';
import type { DownstreamAnswer } from './downstream-answer.ts';
import { DownstreamError } from './downstream-error.ts';
import type { AnswerHead, Ending, Fault } from './ending.ts';
import { parseRetryAfter } from './retry-after.ts';
import { schemaFault } from './schema-fault.ts';

/** Who judges. */
export interface Judge {
  readonly name: string;
  readonly retryAfterCapMs: number;
}

const MAX_DESCRIPTION = 200;
/** What whoever finds the dead letter has to know. */
const NOT_AGAIN =
  ': it has no idempotency key, so it is not made again; find out whether it took effect before you replay the job';

/** What the end of a call means: an answer or a classified error. The only place where this is decided. */
export function verdict<T>(call: Call<T>, ending: Ending, judge: Judge): DownstreamAnswer<T> | DownstreamError {
  const { head, body, fault } = ending;
  // A refusal is one however its body ends; a success is none without its whole body.
  if (head && !isSuccess(head.status, call)) return refusal(call, head, bodyOrNothing(head, body), judge);
  if (fault) return faultError(call, fault, judge, head);

  const unusable = (why: string): DownstreamError =>
    answerError(call, `${judge.name}: ${call.label} answered ${head.status}, unusable (${why})`, head);
  let value: unknown;
  try {
    value = readBody(head, body);
  } catch {
    // No cause: the message of a JSON error quotes the text.
    return unusable('not JSON');
  }
  if (!call.answer) return { ...head, body: value as T };
  try {
    const parsed = call.answer.safeParse(value);
    return parsed.success ? { ...head, body: parsed.data } : unusable(schemaFault(call.answer, parsed.error));
  } catch {
    // A transform threw, over a value that its message may quote.
    return unusable('its schema threw');
  }
}

function isSuccess(status: number, call: Call<unknown>): boolean {
  return (status >= 200 && status < 300) || call.adopt.includes(status);
}

function refusal(call: Call<unknown>, head: AnswerHead, body: unknown, judge: Judge): DownstreamError {
  const { status } = head;
  const code = description(call, status, body);
  // RFC 9110 section 15.5.11: likely permanent. Nobody but a person can say what takes its place.
  const gone = status === 410 ? ': what was called is gone for good, and calls to it are to be taken out' : '';
  const message = `${judge.name}: ${call.label} answered ${status}${code && ` (${code})`}${gone}`;
  const error = (kind: FailureKind, code: CoordinatorErrorCode, retryAfterMs?: number): DownstreamError =>
    new DownstreamError(kind, code, message, { status, body, retryAfterMs });

  const retryAfterMs = waitOf(head, judge);
  if (status === 429 || (status === 503 && retryAfterMs !== undefined)) {
    return error('rate-limited', 'COORD_DOWNSTREAM_RATE_LIMITED', retryAfterMs);
  }
  // 401: our credentials are wrong or were changed. That is for people to mend, and the job can wait for them.
  if ([401, 408, 425].includes(status) || status >= 500) return error('transient', 'COORD_DOWNSTREAM_UNAVAILABLE');
  return error('permanent', 'COORD_DOWNSTREAM_REFUSED');
}

function waitOf({ status, headers }: AnswerHead, { retryAfterCapMs: capMs }: Judge): number | undefined {
  // Many services send X-RateLimit-Reset with every answer; a 503 with it is a failure all the same.
  return parseRetryAfter(status === 503 ? { 'retry-after': headers['retry-after'] } : headers, { capMs });
}

/** What a fault means, after the beginning of a successful answer or before any. */
export function faultError(call: Call<unknown>, fault: Fault, judge: Judge, head?: AnswerHead): DownstreamError {
  const { type, cause } = fault;
  const status = head?.status;
  const what = `${judge.name}: ${call.label}`;
  switch (fault.kind) {
    case 'refused':
      return new DownstreamError('permanent', 'COORD_DOWNSTREAM_REFUSED', `${what} was not sent (${type})`, { cause });
    case 'unsent':
      return new DownstreamError('transient', 'COORD_DOWNSTREAM_UNAVAILABLE', `${what} was not sent (${type})`, {
        cause,
      });
    case 'lost': {
      const message = `${what} got ${status === undefined ? 'no answer' : `only part of an answer ${status}`} (${type})`;
      if (call.repeatable)
        return new DownstreamError('transient', 'COORD_DOWNSTREAM_UNAVAILABLE', message, { status, cause });
      const [kind, advice] = call.retryable ? (['unknown-outcome', ''] as const) : (['permanent', NOT_AGAIN] as const);
      return new DownstreamError(kind, 'COORD_DOWNSTREAM_UNKNOWN_OUTCOME', message + advice, { status, cause });
    }
    case 'unreadable':
      // No cause: that of a parser holds what it could not parse.
      return answerError(call, `${what} answered ${status === undefined ? '' : `${status}, `}unusable (${type})`, head);
  }
}

function answerError(call: Call<unknown>, message: string, head: AnswerHead | undefined): DownstreamError {
  const [kind, advice] = call.retryable ? (['transient', ''] as const) : (['permanent', NOT_AGAIN] as const);
  return new DownstreamError(kind, 'COORD_DOWNSTREAM_ANSWER', message + advice, { status: head?.status });
}

function bodyOrNothing(head: AnswerHead, body: Uint8Array | undefined): unknown {
  try {
    return body && readBody(head, body);
  } catch {
    return undefined;
  }
}

function description(call: Call<unknown>, status: number, body: unknown): string {
  try {
    const text = call.describeError?.(status, body) ?? '';
    return text.slice(0, MAX_DESCRIPTION).replace(/[\p{Cc}\p{Cf}]/gu, ' ');
  } catch {
    // A refusal of an unforeseen shape must not hide behind the fault of the hook that reads it.
    return '';
  }
}
