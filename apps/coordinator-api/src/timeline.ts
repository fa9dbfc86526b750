import type { JobRecord, QueueBackend } from '@coordinator/tasks';
import { mayRead } from './job-access.ts';
import { cursorBefore, type PageRequest } from './timeline-query.ts';

/** Places that are read at once, at least. */
const LEAST_READ = 100;
/** Places that one answer may cost beyond those that it shows. */
const MOST_PASSED = 1_000;

/** What a caller may see of the jobs about a subject. */
export interface Timeline {
  /** Oldest first. */
  readonly items: readonly JobRecord[];
  /** For the page before; null when the caller has seen all. */
  readonly cursor: string | null;
}

/**
 * Reads a page of a timeline for a caller. Jobs of other callers and expired records are passed over and do not count, so
 * that neither a short page nor a cursor tells of them; only after a thousand of them is the next answer left to go on.
 *
 * @throws CoordinatorError COORD_QUERY_INVALID for a cursor that is none of this timeline
 */
export async function readTimeline(
  backend: QueueBackend,
  caller: string,
  subject: string,
  { before, limit }: PageRequest,
): Promise<Timeline> {
  let items: JobRecord[] = [];
  let next = before;
  let read = 0;
  do {
    // One more than is shown tells whether there is another page.
    const most = Math.max(limit + 1 - items.length, LEAST_READ);
    const page = await backend.jobsOf(subject, { before: next, limit: most });
    items = [...page.items.filter((job) => mayRead(caller, job)), ...items];
    next = page.next;
    read += most;
  } while (next !== undefined && items.length <= limit && read < limit + MOST_PASSED);

  const shown = items.slice(-limit);
  const first = items.length > limit ? shown[0]?.jobId : next;
  return { items: shown, cursor: first === undefined ? null : cursorBefore(first) };
}
