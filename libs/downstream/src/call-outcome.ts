import { CoordinatorError } from '@coordinator/tasks';
import { Deadline } from './deadline.ts';
import type { DownstreamError } from './downstream-error.ts';
import type { CallOutcome } from './redis-downstreams.ts';

/** What a call that failed says about its downstream. */
export function outcomeOfCall(error: DownstreamError, deadline: Deadline): CallOutcome {
  switch (error.kind) {
    case 'rate-limited':
      return 'success';
    case 'permanent':
      // Whoever answers is there.
      return error.status === undefined ? 'neutral' : 'success';
    case 'transient':
    case 'unknown-outcome':
      return endedByCaller(deadline.signal) ? 'neutral' : 'failure';
  }
}

/** What a call for a token that failed says about the downstream that the token is for. */
export function outcomeOfToken(error: DownstreamError, deadline: Deadline): CallOutcome {
  // Refused credentials stop all calls until somebody mends them, see docs/decisions/0006.
  if (error.kind === 'permanent') return 'failure';
  return error.kind === 'rate-limited' ? 'neutral' : outcomeOfCall(error, deadline);
}

/** How long all calls are to wait, in milliseconds; 0 when the downstream did not say. */
export function pauseOf(error: DownstreamError): number {
  return error.kind === 'rate-limited' ? (error.retryAfterMs ?? 0) : 0;
}

/** A worker that stops says nothing about the downstream; an attempt whose time is over does. */
function endedByCaller({ aborted, reason }: AbortSignal): boolean {
  if (!aborted || reason === Deadline.timedOut) return false;
  return !(reason instanceof CoordinatorError && reason.code === 'COORD_ATTEMPT_TIMEOUT');
}
