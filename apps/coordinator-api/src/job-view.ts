import { decodeEnvelope, type Envelope, type JobRecord, type TaskCatalog } from '@coordinator/tasks';
import { traceIdOf } from '@coordinator/tracing';
import { isoTime } from './iso-time.ts';

/** A job as `GET /v1/jobs/{id}` shows it; what does not apply is null. */
export function jobView(job: JobRecord, catalog: TaskCatalog) {
  const envelope = readableEnvelope(job.envelope);
  const installed = envelope && catalog.find(envelope.task);
  return {
    jobId: job.jobId,
    task: envelope?.task ?? null,
    queue: installed?.queue ?? null,
    state: job.state,
    subject: envelope?.subject ?? null,
    attempt: job.attempt,
    maxAttempts: installed?.task.maxAttempts ?? null,
    createdAt: isoTime(job.createdAtMs),
    dueAt: isoTime(job.dueAtMs),
    finishedAt: isoTime(job.finishedAtMs),
    outcome: job.outcome ?? null,
    error: job.error ?? null,
    steps: job.steps.map(({ name, finishedAtMs }) => ({ name, finishedAt: isoTime(finishedAtMs) })),
    traceId: (envelope && traceIdOf(envelope.trace)) ?? null,
    release: envelope?.release ?? null,
    parentJobId: envelope?.parentJobId ?? null,
  };
}

/** One record of a newer release, or a damaged one, must not hide a whole timeline. */
function readableEnvelope(text: string): Envelope | undefined {
  try {
    return decodeEnvelope(text);
  } catch {
    return undefined;
  }
}
