import { createEventRouting, type AnyEvent } from '@coordinator/events';
import { Registry, type Extension } from '@coordinator/extension';
import {
  MemoryClock,
  runAttempt,
  TaskCatalog,
  TaskQueue,
  type AnyTask,
  type Claim,
  type EventRouting,
  type InstalledTask,
  type Outcome,
  type PayloadOf,
  type TaskHandler,
} from '@coordinator/tasks';
import { RecordingBackend, type EnqueuedJob } from './recording-backend.ts';
import { RecordingLog, type LogLine } from './recording-log.ts';

/** The circumstances of an attempt. */
export interface RunTaskOptions {
  /** Which attempt of the job this is. Default 1. */
  readonly attempt?: number;
  /** Results of the steps that earlier attempts have finished. Default: none. */
  readonly steps?: Readonly<Record<string, unknown>>;
  /** The business thing the job is about. Default: none. */
  readonly subject?: string;
  /** Aborts the attempt, as a lost lease or a stopping worker would. Default: never. */
  readonly signal?: AbortSignal;
  /** Extensions whose tasks may be enqueued and whose subscriptions run. Default: any task, and nobody subscribes. */
  readonly installed?: readonly Extension[];
  /** Source of jitter, from 0 to 1. Default 1: every delay is the longest that the backoff allows. */
  readonly random?: () => number;
}

/** An event that a completed attempt announced. */
export interface EmittedEvent {
  /** Name of the event. */
  readonly event: string;
  readonly data: unknown;
  readonly subject: string | undefined;
  readonly idempotencyKey: string | undefined;
}

/** What one attempt did. */
export interface RunTaskResult {
  readonly outcome: Outcome;
  /** Jobs that the attempt put on the queue; none unless it completed. */
  readonly enqueued: readonly EnqueuedJob[];
  /** Events that the attempt announced; none unless it completed. */
  readonly emitted: readonly EmittedEvent[];
  /** Results of all steps that are done now, by name. */
  readonly steps: Readonly<Record<string, unknown>>;
  readonly log: readonly LogLine[];
}

const LEASE_MS = 30_000;

/**
 * Runs one attempt of a job in memory, through the same code as a worker: payload check, deadline, steps, outcome.
 *
 * @throws CoordinatorError COORD_PAYLOAD_INVALID when the payload could not have been accepted
 */
export async function runTask<T extends AnyTask>(
  task: T,
  handler: TaskHandler<T>,
  payload: PayloadOf<T>,
  options: RunTaskOptions = {},
): Promise<RunTaskResult> {
  const { subject, installed, steps = {}, random = () => 1 } = options;
  const backend = new RecordingBackend(new MemoryClock());
  const catalog = catalogFor(task, installed);
  const emitted: EmittedEvent[] = [];
  const routeEvent = recorded(installed ? new Registry(installed).routeEvent : routeToNobody, emitted);
  const log = new RecordingLog();
  const common = { backend, catalog, routeEvent, release: 'test' };

  await new TaskQueue(common).enqueue(task, payload, { subject });
  const claim = await claimAttempt(backend, catalog.get(task.name).queue, options.attempt ?? 1);
  for (const [name, result] of Object.entries(steps)) {
    await backend.saveStep(claim, name, result === undefined ? '' : JSON.stringify(result));
  }
  const saved = backend.stepResults.get(claim.jobId) ?? new Map<string, string>();
  const runtime = { ...common, handlerOf: () => handler, log, random };
  const outcome = await runAttempt({ ...claim, steps: new Map(saved) }, runtime, followed(options.signal));

  const done = backend.stepResults.get(claim.jobId) ?? saved;
  return {
    outcome,
    enqueued: backend.enqueued.slice(1),
    emitted: outcome.kind === 'completed' ? emitted : [],
    steps: Object.fromEntries(Array.from(done, ([name, json]) => [name, json === '' ? undefined : JSON.parse(json)])),
    log: log.lines,
  };
}

/** Without `installed` any task may be enqueued: the test is about the handler, not about what is installed. */
class OpenCatalog extends TaskCatalog {
  override get(name: string): InstalledTask {
    const [queue = name] = name.split('.');
    return this.find(name) ?? ({ queue } as InstalledTask);
  }
}

function catalogFor(task: AnyTask, installed: readonly Extension[] | undefined): TaskCatalog {
  const [queue = task.name] = task.name.split('.');
  const own = { task, queue: task.queue ?? queue };
  if (!installed) return new OpenCatalog([own]);
  const others = installed.flatMap(({ name, tasks }) =>
    Object.values(tasks).map((other) => ({ task: other, queue: other.queue ?? name })),
  );
  return new TaskCatalog([own, ...others]);
}

const routeToNobody: EventRouting = (event, data, options) =>
  createEventRouting([event as AnyEvent], [])(event, data, options);

function recorded(routeEvent: EventRouting, emitted: EmittedEvent[]): EventRouting {
  return (event, data, options) => {
    const jobs = routeEvent(event, data, options);
    const { subject, idempotencyKey } = options;
    emitted.push({ event: event.name, data, subject, idempotencyKey });
    return jobs;
  };
}

/** Takes the job through empty attempts up to the wanted one. */
async function claimAttempt(backend: RecordingBackend, queue: string, attempt: number): Promise<Claim> {
  for (;;) {
    const claim = (await backend.claim(queue, backend.pop(queue) as string, LEASE_MS)) as Claim;
    if (claim.attempt >= attempt) return claim;
    await backend.settle(claim, {
      ...{ state: 'scheduled', outcome: 'retried', delayMs: 0, spendsAttempt: true, children: [] },
      ...{ error: undefined, attemptReport: undefined },
    });
    await backend.promote(queue);
  }
}

function followed(signal: AbortSignal | undefined): AbortController {
  const abort = new AbortController();
  if (signal?.aborted) abort.abort(signal.reason);
  else signal?.addEventListener('abort', () => abort.abort(signal.reason), { once: true });
  return abort;
}
