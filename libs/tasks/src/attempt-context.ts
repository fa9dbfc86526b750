import type { Logger } from '@coordinator/logging';
import { setTimeout as delay } from 'node:timers/promises';
import type { Envelope } from './envelope.ts';
import { CoordinatorError, isUnavailable } from './error-codes.ts';
import type { EmitOptions, EventDeclaration, EventRouting } from './event-routing.ts';
import { JobBatch } from './job-batch.ts';
import { prepareJob, type JobOrigin, type JobRequest } from './new-job.ts';
import type { Claim, NewJob, QueueBackend, SettleResult } from './queue-backend.ts';
import { storableJson } from './storable-json.ts';
import type { AnyTask, EnqueueOptions, PayloadOf, RunningJob, StepContext, TaskContext } from './task.ts';
import { isLeaseLost, leaseLost, TaskError } from './task-error.ts';

const SAVE_PAUSE_MS = 250;
/** Most bytes of all results of a job's steps: a claim reads them, and those of as many jobs as the worker has free slots. */
const MOST_STEP_BYTES = 1_048_576;

/** What a handler's context is made of. */
export interface AttemptContextOptions {
  readonly claim: Claim;
  readonly envelope: Envelope;
  readonly backend: QueueBackend;
  readonly origin: JobOrigin;
  readonly routeEvent: EventRouting;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** The TaskContext of one attempt; collects the jobs that are to be written when the attempt completes. */
export class AttemptContext implements TaskContext {
  readonly job: RunningJob;
  readonly attempt: number;
  readonly signal: AbortSignal;
  readonly log: Logger;
  readonly #children = new JobBatch();
  readonly #options: AttemptContextOptions;
  readonly #stepsOfThisAttempt = new Set<string>();
  #stepBytes: number;
  #closed = false;

  constructor(options: AttemptContextOptions) {
    const { claim, envelope } = options;
    this.#options = options;
    this.attempt = claim.attempt;
    this.signal = options.signal;
    this.log = options.log;
    this.#stepBytes = [...claim.steps.values()].reduce((sum, result) => sum + Buffer.byteLength(result), 0);
    this.job = {
      id: claim.jobId,
      task: envelope.task,
      queue: claim.queue,
      subject: envelope.subject,
      createdAtMs: claim.createdAtMs,
      parentJobId: envelope.parentJobId,
    };
  }

  /** What is to be written when the attempt completes. */
  get children(): readonly NewJob[] {
    return this.#children.jobs;
  }

  // Properties and not methods: handlers take them out of the context, `({ step }) => …`.
  readonly step = async <T>(name: string, fn: (step: StepContext) => Promise<T>): Promise<T> => {
    if (this.#stepsOfThisAttempt.has(name)) {
      throw new RangeError(`${this.job.task} has two steps with the name "${name}": the second would replay the first`);
    }
    this.#stepsOfThisAttempt.add(name);
    const { claim } = this.#options;
    const replayed = claim.steps.get(name);
    if (replayed !== undefined) return resultOf(name, replayed) as T;

    this.signal.throwIfAborted();
    const result = await fn({ idempotencyKey: `${this.job.id}:${name}` });
    const saved = await this.#save(name, result === undefined ? '' : storableJson(result, `step "${name}"`));
    if (saved === 'stale') throw leaseLost();
    return result;
  };

  readonly enqueue = <T extends AnyTask>(task: T, payload: PayloadOf<T>, options: EnqueueOptions = {}): void => {
    this.#add({ task, payload, options });
  };

  readonly emit = <Data>(event: EventDeclaration<Data>, data: Data, options: EmitOptions = {}): number => {
    const routed = this.#options.routeEvent(event, data, options);
    for (const request of routed) this.#add(request);
    return routed.length;
  };

  /** What a step did must not be forgotten because Redis is away, even for longer than the lease: the token decides. */
  async #save(name: string, result: string): Promise<SettleResult> {
    const { backend, claim } = this.#options;
    this.#stepBytes += Buffer.byteLength(result);
    if (this.#stepBytes > MOST_STEP_BYTES) {
      const message = `The steps of ${this.job.task} have more than ${MOST_STEP_BYTES} bytes of results: store them elsewhere and return an id`;
      throw new TaskError('permanent', 'COORD_PAYLOAD_TOO_LARGE', message);
    }
    for (;;) {
      try {
        return await backend.saveStep(claim, name, result);
      } catch (error) {
        const toldToStop = this.signal.aborted && !isLeaseLost(this.signal.reason);
        if (!isUnavailable(error) || toldToStop) throw error;
        await delay(SAVE_PAUSE_MS * (0.5 + Math.random()));
      }
    }
  }

  /** The attempt has ended: what comes now would be lost. */
  close(): void {
    this.#closed = true;
  }

  #add(request: JobRequest): void {
    if (this.#closed) throw new Error(`${this.job.task} enqueues or emits after its handler has returned: await it`);
    const options = { ...request.options, subject: request.options.subject ?? this.job.subject };
    const { origin: process, envelope } = this.#options;
    const origin = { ...process, parentJobId: this.job.id, caller: envelope.caller };
    const { job, span } = prepareJob({ ...request, options }, origin);
    span.end();
    this.#children.add(job);
  }
}

/** @throws CoordinatorError COORD_ENVELOPE_UNREADABLE: to run a step again whose effect is unknown would be worse */
function resultOf(name: string, stored: string): unknown {
  if (stored === '') return undefined;
  try {
    return JSON.parse(stored);
  } catch {
    throw new CoordinatorError('COORD_ENVELOPE_UNREADABLE', `The stored result of the step "${name}" is not readable`);
  }
}
