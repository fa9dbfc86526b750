import type { Counter, Histogram, Meter } from '@opentelemetry/api';
import { ATTR } from './attributes.ts';
import { installGauges } from './gauges.ts';

/** The task and queue that a measurement is about. Both have few values; ids and subjects do not belong in metrics. */
export interface TaskLabels {
  readonly task: string;
  readonly queue: string;
}

interface Instruments {
  accepted: Counter;
  queueWait: Histogram;
  attemptDuration: Histogram;
  attempts: Counter;
  loopBlocked: Histogram;
  stuckHandlers: Counter;
  takenBack: Counter;
  slots: Counter;
  refusedCalls: Counter;
  refusedWebhooks: Counter;
}

// OpenTelemetry's default buckets are made for milliseconds; the conventions ask for seconds, and calls to slow
// services take minutes, waits for a dead one hours.
const CALL_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const WAIT_SECONDS = [...CALL_SECONDS, 1800, 3600, 6 * 3600, 24 * 3600];

let instruments: Instruments | undefined;

/** Makes the instruments. Called by startTracing: a meter taken before it would measure nothing for ever. */
export function installMetrics(meter: Meter): void {
  const seconds = (boundaries: number[]) => ({ unit: 's', advice: { explicitBucketBoundaries: boundaries } });
  instruments = {
    accepted: meter.createCounter('coordinator.jobs.accepted', { description: 'Jobs accepted' }),
    queueWait: meter.createHistogram('coordinator.job.queue_wait', {
      description: 'Time from when a job was due until an attempt began',
      ...seconds(WAIT_SECONDS),
    }),
    attemptDuration: meter.createHistogram('coordinator.attempt.duration', {
      description: 'Time an attempt took',
      ...seconds(CALL_SECONDS),
    }),
    attempts: meter.createCounter('coordinator.attempts', { description: 'Attempts by how they ended' }),
    loopBlocked: meter.createHistogram('coordinator.event_loop.blocked', {
      description: 'Time for which the event loop of a worker stood still, from one second on',
      ...seconds(CALL_SECONDS),
    }),
    stuckHandlers: meter.createCounter('coordinator.handlers.stuck', {
      description: 'Handlers that went on although they were told to stop',
    }),
    takenBack: meter.createCounter('coordinator.jobs.taken_back', {
      description: 'Jobs that were taken back from a worker that fell silent',
    }),
    slots: meter.createCounter('coordinator.schedule.slots', {
      description: 'Slots of schedules by what became of them',
    }),
    refusedCalls: meter.createCounter('coordinator.downstream.refused', { description: 'Calls that were not made' }),
    refusedWebhooks: meter.createCounter('coordinator.webhooks.refused', {
      description: 'Webhooks without a good signature',
    }),
  };
  installGauges(meter);
}

/** Stops measuring, until installMetrics is called again. */
export function uninstallMetrics(): void {
  instruments = undefined;
}

const labels = ({ task, queue }: TaskLabels) => ({ [ATTR.task]: task, [ATTR.messagingDestinationName]: queue });

/** Counts a job that was accepted (`coordinator.jobs.accepted`). Duplicates are not accepted anew. */
export function countAccepted(job: TaskLabels): void {
  instruments?.accepted.add(1, labels(job));
}

/** Measures how long a job was due before its attempt began (`coordinator.job.queue_wait`, exported in seconds). */
export function recordQueueWait(job: TaskLabels & { readonly waitMs: number }): void {
  instruments?.queueWait.record(job.waitMs / 1000, labels(job));
}

/** Counts an attempt (`coordinator.attempts`) and measures it (`coordinator.attempt.duration`, in seconds). */
export function recordAttempt(attempt: TaskLabels & { readonly outcome: string; readonly durationMs: number }): void {
  const withOutcome = { ...labels(attempt), [ATTR.outcome]: attempt.outcome };
  instruments?.attempts.add(1, withOutcome);
  instruments?.attemptDuration.record(attempt.durationMs / 1000, withOutcome);
}

/** Measures a standstill of the event loop (`coordinator.event_loop.blocked`, in seconds) by the task begun last. */
export function recordLoopBlocked({ task, blockedMs }: { readonly task: string; readonly blockedMs: number }): void {
  instruments?.loopBlocked.record(blockedMs / 1000, { [ATTR.task]: task });
}

/** Counts a handler that ignores its signal (`coordinator.handlers.stuck`). */
export function countStuckHandler(job: TaskLabels): void {
  instruments?.stuckHandlers.add(1, labels(job));
}

/** Counts a job that is taken back because its worker fell silent (`coordinator.jobs.taken_back`). */
export function countTakenBack(job: TaskLabels): void {
  instruments?.takenBack.add(1, labels(job));
}

/** Counts slots of a schedule that made a job, or that the catch-up left out (`coordinator.schedule.slots`). */
export function countSlots(counted: {
  readonly schedule: string;
  readonly outcome: 'fired' | 'skipped';
  readonly slots: number;
}): void {
  instruments?.slots.add(counted.slots, { [ATTR.schedule]: counted.schedule, [ATTR.outcome]: counted.outcome });
}

/** Counts a call that our own protection of a downstream did not let through (`coordinator.downstream.refused`). */
export function countRefusedCall(call: { readonly downstream: string; readonly reason: string }): void {
  instruments?.refusedCalls.add(1, { [ATTR.downstream]: call.downstream, [ATTR.refusal]: call.reason });
}

/** Counts a webhook whose signature was refused (`coordinator.webhooks.refused`), by the code of its answer. */
export function countRefusedWebhook({ extension, code }: { readonly extension: string; readonly code: string }): void {
  instruments?.refusedWebhooks.add(1, { [ATTR.extension]: extension, [ATTR.errorType]: code });
}
