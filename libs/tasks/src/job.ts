import type { Failure } from './outcome.ts';

/** Where a job is; docs/reference/lifecycle.md draws the ways between the states. */
export type JobState = 'waiting' | 'scheduled' | 'running' | 'blocked' | 'parked' | 'completed' | 'dead' | 'cancelled';

/** What enqueue() answers, once Redis has confirmed the write. */
export interface Receipt {
  readonly jobId: string;
  readonly task: string;
  readonly state: JobState;
  /** True when the idempotency key was known: the job of the first call is meant. */
  readonly duplicate: boolean;
}

/** One enqueued instance of a task, as a backend stores it. */
export interface JobRecord {
  readonly jobId: string;
  readonly state: JobState;
  /** Envelope as stored; see decodeEnvelope. */
  readonly envelope: string;
  readonly attempt: number;
  readonly createdAtMs: number;
  /** Earliest start of the next attempt; the acceptance time when it was never put off. */
  readonly dueAtMs: number;
  readonly finishedAtMs: number | undefined;
  readonly outcome: string | undefined;
  readonly error: Failure | undefined;
  readonly steps: readonly StepRecord[];
}

/** A check-pointed step of a job. */
export interface StepRecord {
  readonly name: string;
  readonly finishedAtMs: number;
  /** JSON; undefined once the job has ended, or when the step had no result. */
  readonly result: string | undefined;
}
