import { countAccepted, markFailed } from '@coordinator/tracing';
import type { EmitOptions, EventDeclaration, EventRouting } from './event-routing.ts';
import type { Receipt } from './job.ts';
import { JobBatch } from './job-batch.ts';
import { prepareJob, type JobOrigin, type JobRequest, type KeyedRequest, type PreparedJob } from './new-job.ts';
import type { QueueBackend } from './queue-backend.ts';
import type { AnyTask, EnqueueOptions, PayloadOf } from './task.ts';

/** What a TaskQueue needs. */
export interface TaskQueueOptions extends Omit<JobOrigin, 'parentJobId'> {
  readonly backend: QueueBackend;
  readonly routeEvent: EventRouting;
}

/** The way into the queue for those who accept work: an answer means that the job is stored. */
export class TaskQueue {
  readonly #options: TaskQueueOptions;

  constructor(options: TaskQueueOptions) {
    this.#options = options;
  }

  /**
   * The same queue for one caller: jobs that are put on it, and all that comes of them, are the caller's to read. A `request`
   * that carries an idempotency key is the same only when its body is.
   */
  for(caller: string, request?: KeyedRequest): TaskQueue {
    return new TaskQueue({ ...this.#options, caller, request });
  }

  /**
   * Puts one job on the queue.
   *
   * @throws CoordinatorError COORD_PAYLOAD_INVALID, COORD_PAYLOAD_TOO_LARGE, COORD_TASK_UNKNOWN,
   *   COORD_IDEMPOTENCY_CONFLICT, COORD_QUEUE_UNAVAILABLE (its message says whether the write may have happened)
   */
  async enqueue<T extends AnyTask>(task: T, payload: PayloadOf<T>, options: EnqueueOptions = {}): Promise<Receipt> {
    const [receipt] = await this.enqueueAll([{ task, payload, options }]);
    return receipt as Receipt;
  }

  /** Puts several jobs on the queue in one write, at most 1 000 and 4 MiB of them, all or none. Throws as {@link enqueue} does. */
  async enqueueAll(requests: readonly JobRequest[]): Promise<Receipt[]> {
    if (requests.length === 0) return [];
    const prepared: PreparedJob[] = [];
    try {
      const batch = new JobBatch();
      for (const request of requests) {
        const made = prepareJob(request, this.#options);
        prepared.push(made);
        batch.add(made.job);
      }
      const receipts = await this.#options.backend.enqueue(batch.jobs);
      receipts.forEach((receipt, i) => {
        if (!receipt.duplicate) countAccepted({ task: receipt.task, queue: (prepared[i] as PreparedJob).job.queue });
      });
      return receipts;
    } catch (error) {
      for (const { span } of prepared) markFailed(span, error);
      throw error;
    } finally {
      for (const { span } of prepared) span.end();
    }
  }

  /**
   * Announces an event: puts the jobs of all its subscriptions on the queue in one write.
   *
   * @throws CoordinatorError as {@link enqueue}, and COORD_EVENT_UNKNOWN
   */
  async emit<Data>(event: EventDeclaration<Data>, data: Data, options: EmitOptions = {}): Promise<Receipt[]> {
    return this.enqueueAll(this.#options.routeEvent(event, data, options));
  }
}
