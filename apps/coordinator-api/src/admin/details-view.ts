import { traceIdOf } from '@coordinator/tracing';
import type { JobDetails, TaskCatalog } from '@coordinator/tasks';
import { isoTime } from '../iso-time.ts';
import { jobView } from '../job-view.ts';

/** A job as support sees it: all but what it holds. What does not apply is null. */
export function detailsView(details: JobDetails, catalog: TaskCatalog) {
  const { queue, lane, crashed, stopping, attempts } = details;
  const view = jobView(details, catalog);
  return {
    ...view,
    queue: queue ?? view.queue,
    lane: lane ?? null,
    crashed,
    stopping,
    firstStartedAt: isoTime(details.firstStartedAtMs),
    startedAt: isoTime(details.startedAtMs),
    replayedAt: isoTime(details.replayedAtMs),
    erasedAt: isoTime(details.erasedAtMs),
    attempts: attempts.map(({ attempt, traceparent }) => ({
      attempt,
      traceId: traceIdOf({ traceparent }) ?? null,
      spanId: traceparent.split('-')[2] ?? null,
    })),
  };
}

/** What a job holds: personal data, too. Only for those who may see it, and once the audit log has it. */
export function contentView({ payload, steps }: JobDetails) {
  return {
    payload: parsed(payload),
    steps: steps.map(({ name, finishedAtMs, result }) => ({
      name,
      finishedAt: isoTime(finishedAtMs),
      result: parsed(result),
    })),
  };
}

function parsed(json: string | undefined): unknown {
  try {
    return json === undefined ? null : (JSON.parse(json) as unknown);
  } catch {
    return null;
  }
}
