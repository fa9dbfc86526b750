import type { JobRecord } from '../job.ts';

/** A job kept after its last attempt. */
export interface DeadLetter extends JobRecord {
  readonly queue: string;
  /** Undefined when its envelope cannot be read. */
  readonly task: string | undefined;
}

/** Where a dead letter stands among the others: by when it ended. */
export interface DeadLetterPlace {
  readonly jobId: string;
  readonly finishedAtMs: number;
}

/** Which dead letters are asked for. */
export interface DeadLetterQuery {
  readonly queues: readonly string[];
  /** Only older ones. Default: from the newest on. */
  readonly after?: DeadLetterPlace | undefined;
  /** Most to read. Default 100. */
  readonly limit?: number;
}

/** Some dead letters, newest first. */
export interface DeadLetterPage {
  /** May be fewer than asked for, although there are more: some were gone. */
  readonly items: readonly DeadLetter[];
  /** For {@link DeadLetterQuery.after}; undefined on the last page. */
  readonly next: DeadLetterPlace | undefined;
}

/** The order of dead letters, which is total: of the same millisecond, the id decides. */
export function isOlder(a: DeadLetterPlace, b: DeadLetterPlace): boolean {
  return a.finishedAtMs < b.finishedAtMs || (a.finishedAtMs === b.finishedAtMs && a.jobId < b.jobId);
}
