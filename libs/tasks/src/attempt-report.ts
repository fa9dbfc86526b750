import type { Logger } from '@coordinator/logging';
import { countAccepted, recordAttempt, recordQueueWait } from '@coordinator/tracing';
import { taskNamedIn, type Envelope } from './envelope.ts';
import type { Claim, NewJob } from './queue-backend.ts';
import type { Settled } from './settle-attempt.ts';

/** Says how an attempt ended: one log line and the metrics. `envelope` is undefined for a job that cannot be read. */
export function reportAttempt(
  claim: Claim,
  envelope: Envelope | undefined,
  { outcome, written }: Settled,
  children: readonly NewJob[],
  durationMs: number,
  log: Logger,
): void {
  const task = envelope?.task ?? taskNamedIn(claim.envelope) ?? 'unknown';
  const { queue } = claim;
  recordQueueWait({ task, queue, waitMs: Math.max(0, claim.claimedAtMs - claim.dueAtMs) });
  recordAttempt({ task, queue, outcome: written ? outcome.kind : 'lease-lost', durationMs });
  if (written && outcome.kind === 'completed') for (const child of children) countAccepted(child);

  const fields = {
    jobId: claim.jobId,
    task,
    queue,
    attempt: claim.attempt,
    subject: envelope?.subject,
    outcome: outcome.kind,
    durationMs: Math.round(durationMs),
    ...('reason' in outcome ? { reason: outcome.reason } : {}),
    ...('delayMs' in outcome ? { delayMs: outcome.delayMs } : {}),
    ...('error' in outcome ? { code: outcome.error.code, error: outcome.error.message } : {}),
  };
  if (!written) return log.warn(fields, 'lease lost: the job belongs to another attempt by now');
  switch (outcome.kind) {
    case 'completed':
    case 'snoozed':
      return log.info(fields, `attempt ${outcome.kind}`);
    case 'cancelled':
    case 'retried':
      return log.warn(fields, `attempt ${outcome.kind}`);
    case 'parked':
      return log.warn(
        { ...fields, payloadVersion: envelope?.payloadVersion, envelopeRelease: envelope?.release },
        'job parked: this worker cannot read it, one that can will run it',
      );
    case 'dead':
      return log.error(fields, 'job is a dead letter');
  }
}
