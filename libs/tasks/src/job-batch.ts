import type { NewJob } from './queue-backend.ts';
import { TaskError } from './task-error.ts';

/** Most jobs of one write: Redis serves nobody else meanwhile. */
const MOST_JOBS = 1_000;
/** Most bytes of their envelopes and payloads. */
const MOST_BYTES = 4_194_304;

/** Jobs that are written together, all or none. */
export class JobBatch {
  readonly jobs: NewJob[] = [];
  #bytes = 0;

  /** @throws TaskError permanent, COORD_PAYLOAD_TOO_LARGE, when that is more than one write takes */
  add(job: NewJob): void {
    this.#bytes += Buffer.byteLength(job.envelope) + Buffer.byteLength(job.payload);
    if (this.jobs.length >= MOST_JOBS || this.#bytes > MOST_BYTES) {
      throw new TaskError(
        'permanent',
        'COORD_PAYLOAD_TOO_LARGE',
        `One write takes at most ${MOST_JOBS} jobs, and ${MOST_BYTES} bytes of them: enqueue a job that enqueues the rest`,
      );
    }
    this.jobs.push(job);
  }
}
