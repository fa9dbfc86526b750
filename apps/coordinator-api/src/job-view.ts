import { decodeEnvelope, type JobRecord, type TaskCatalog } from '@coordinator/tasks';
import { traceIdOf } from '@coordinator/tracing';

/** A job as `GET /v1/jobs/{id}` shows it; what does not apply is null. */
export function jobView(job: JobRecord, catalog: TaskCatalog) {
  const envelope = decodeEnvelope(job.envelope);
  const installed = catalog.find(envelope.task);
  return {
    jobId: job.jobId,
    task: envelope.task,
    queue: installed?.queue ?? null,
    state: job.state,
    subject: envelope.subject ?? null,
    attempt: job.attempt,
    maxAttempts: installed?.task.maxAttempts ?? null,
    createdAt: isoTime(job.createdAtMs),
    dueAt: isoTime(job.dueAtMs),
    finishedAt: job.finishedAtMs === undefined ? null : isoTime(job.finishedAtMs),
    outcome: job.outcome ?? null,
    error: job.error ?? null,
    steps: job.steps.map(({ name, finishedAtMs }) => ({ name, finishedAt: isoTime(finishedAtMs) })),
    traceId: traceIdOf(envelope.trace) ?? null,
    release: envelope.release,
    parentJobId: envelope.parentJobId ?? null,
  };
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
