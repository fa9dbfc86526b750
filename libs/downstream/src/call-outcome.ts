import { CoordinatorError } from '@coordinator/tasks';
import { Deadline } from './deadline.ts';
import type { DownstreamError } from './downstream-error.ts';
import type { CallOutcome } from './redis-downstreams.ts';

/** What a call that failed says about its downstream. */
export function outcomeOfCall(error: DownstreamError, deadline: Deadline): CallOutcome {
  switch (error.kind) {
    case 'rate-limited':
      // A 429 is of a service that is well. A 503 is of one that is not, also when it names a time.
      return error.status === 429 ? 'success' : 'failure';
    case 'permanent':
      // Whoever answers is there. With another code it is a call that got no usable answer, and is not made again.
      if (error.code === 'COORD_DOWNSTREAM_REFUSED') return error.status === undefined ? 'neutral' : 'success';
      return endedByCaller(deadline.signal) ? 'neutral' : 'failure';
    case 'transient':
    case 'unknown-outcome':
      return endedByCaller(deadline.signal) ? 'neutral' : 'failure';
  }
}

/** What a call for a token that failed says about the downstream that the token is for. */
export function outcomeOfToken(error: DownstreamError, deadline: Deadline): CallOutcome {
  // Refused credentials stop all calls until somebody mends them, see docs/decisions/0006.
  if (error.kind === 'permanent') return 'failure';
  const outcome = outcomeOfCall(error, deadline);
  return outcome === 'success' ? 'neutral' : outcome;
}

/** For how long all calls are asked to wait, in milliseconds: 0 when no time was named, undefined when they are not. */
export function pauseOf(error: DownstreamError): number | undefined {
  return error.kind === 'rate-limited' ? (error.retryAfterMs ?? 0) : undefined;
}

/** A worker that stops says nothing about the downstream; an attempt whose time is over does. */
function endedByCaller({ aborted, reason }: AbortSignal): boolean {
  if (!aborted || reason === Deadline.timedOut) return false;
  return !(reason instanceof CoordinatorError && reason.code === 'COORD_ATTEMPT_TIMEOUT');
}
