import type { JobRecord } from '../job.ts';
import { crashedOf, readRecord, readTime, toMap } from './job-hash.ts';

/** All that is known of a job, for those who look into it. */
export interface JobDetails extends JobRecord {
  readonly queue: string | undefined;
  readonly lane: string | undefined;
  /** How many of its attempts ended with their process. */
  readonly crashed: number;
  /** When its first attempt began, the first since a replay, and its last one; undefined before. */
  readonly firstStartedAtMs: number | undefined;
  readonly startedAtMs: number | undefined;
  readonly replayedAtMs: number | undefined;
  readonly erasedAtMs: number | undefined;
  /** A running job was told to stop. */
  readonly stopping: boolean;
  readonly attempts: readonly AttemptTrace[];
  /** JSON; undefined once it is gone, or when it cannot be decrypted. */
  readonly payload: string | undefined;
}

/** An attempt that has ended, by its span. */
export interface AttemptTrace {
  /** From 1; 0 stands for the last one before a replay. */
  readonly attempt: number;
  /** The `traceparent` of its span, or of that of the worker that took the job back in its place. */
  readonly traceparent: string;
}

/** Reads a job's hash; undefined when there is none. */
export function readDetails(jobId: string, flat: string[]): JobDetails | undefined {
  const record = readRecord(jobId, flat);
  if (!record) return undefined;
  const hash = toMap(flat);
  const queue = hash.get('queue');
  return {
    ...{ ...record, queue, lane: hash.get('lane'), crashed: Math.max(0, crashedOf(hash)) },
    firstStartedAtMs: readTime(hash.get('firstStartedAt')),
    startedAtMs: readTime(hash.get('startedAt')),
    replayedAtMs: readTime(hash.get('replayedAt')),
    erasedAtMs: readTime(hash.get('erasedAt')),
    stopping: hash.has('cancel') || hash.has('erase'),
    attempts: attemptsOf(hash),
    payload: hash.get('payload'),
  };
}

function attemptsOf(hash: ReadonlyMap<string, string>): AttemptTrace[] {
  return Array.from(hash)
    .flatMap(([field, traceparent]) => {
      const [, attempt] = /^attempt:(\d+)$/.exec(field) ?? [];
      return attempt === undefined ? [] : [{ attempt: Number(attempt), traceparent }];
    })
    .sort((a, b) => a.attempt - b.attempt);
}
