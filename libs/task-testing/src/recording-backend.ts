import { decodeEnvelope, MemoryBackend, type Claim, type NewJob, type Receipt } from '@coordinator/tasks';
import type { Settlement, SettleResult } from '@coordinator/tasks';

/** A job that was put on the queue. */
export interface EnqueuedJob {
  readonly jobId: string;
  /** Name of the task. */
  readonly task: string;
  readonly queue: string;
  readonly payload: unknown;
  readonly subject: string | undefined;
  /** As it was given; undefined when none was. */
  readonly idempotencyKey: string | undefined;
  /** Put off by this much, in milliseconds from acceptance. */
  readonly delayMs: number;
  /** The job whose handler put it there. */
  readonly parentJobId: string | undefined;
}

/** A MemoryBackend that remembers what came in, also after the jobs have ended and their payloads are gone. */
export class RecordingBackend extends MemoryBackend {
  /** Every job accepted, oldest first; duplicates make no new one. */
  readonly enqueued: EnqueuedJob[] = [];
  /** Results of the steps that were check-pointed, as JSON, by job and name. */
  readonly stepResults = new Map<string, Map<string, string>>();

  override async enqueue(jobs: readonly NewJob[]): Promise<Receipt[]> {
    const receipts = await super.enqueue(jobs);
    await this.#note(jobs);
    return receipts;
  }

  override async fireSchedule(...call: Parameters<MemoryBackend['fireSchedule']>): Promise<Receipt[] | 'stale'> {
    const receipts = await super.fireSchedule(...call);
    if (receipts !== 'stale') await this.#note(call[3]);
    return receipts;
  }

  override async settle(claim: Claim, settlement: Settlement): Promise<SettleResult> {
    const result = await super.settle(claim, settlement);
    if (result === 'settled') await this.#note(settlement.children);
    return result;
  }

  override async saveStep(claim: Claim, name: string, result: string): Promise<SettleResult> {
    const saving = await super.saveStep(claim, name, result);
    if (saving === 'settled') {
      const steps = this.stepResults.get(claim.jobId) ?? new Map<string, string>();
      this.stepResults.set(claim.jobId, steps.set(name, result));
    }
    return saving;
  }

  async #note(jobs: readonly NewJob[]): Promise<void> {
    for (const job of jobs) {
      // A duplicate was answered with the job that is already there, and is not stored under its own id.
      if ((await this.job(job.id)) === undefined) continue;
      this.enqueued.push({
        jobId: job.id,
        task: job.task,
        queue: job.queue,
        payload: JSON.parse(job.payload) as unknown,
        subject: job.subject,
        idempotencyKey: job.dedupe?.key.slice(job.task.length + 1),
        delayMs: job.delayMs,
        parentJobId: decodeEnvelope(job.envelope).parentJobId,
      });
    }
  }
}
