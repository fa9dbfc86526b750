import type { DeadLetter, DeadLetterPlace, DeadLetterQuery, RedisBackend } from '@coordinator/tasks';
import { cursorOfAnother } from './admin-query.ts';

/** Which dead letters are meant; what is not said fits all. */
export interface DeadLetterFilter {
  readonly task?: string | undefined;
  readonly outcome?: string | undefined;
  /** Of its error, `COORD_…` or that of an extension. */
  readonly code?: string | undefined;
}

/** How a search goes on. */
export interface FoundDeadLetters {
  readonly items: readonly DeadLetter[];
  /** Behind which the next search begins; undefined when there are no more. */
  readonly next: DeadLetterPlace | undefined;
}

/** Dead letters that one request looks at, at most: where few fit, the next request goes on. */
const MOST_READ = 1_000;
const PAGE = 100;

/** Finds the dead letters that fit, at most `limit` of them. */
export async function findDeadLetters(
  backend: RedisBackend,
  filter: DeadLetterFilter,
  query: DeadLetterQuery & { readonly limit: number },
): Promise<FoundDeadLetters> {
  const items: DeadLetter[] = [];
  let after = query.after;
  for (let read = 0; read < MOST_READ; read += PAGE) {
    const page = await backend.deadLetters({ ...query, after, limit: PAGE });
    for (const item of page.items) {
      if (!fits(item, filter)) continue;
      items.push(item);
      const { jobId, finishedAtMs = 0 } = item;
      if (items.length === query.limit) return { items, next: { jobId, finishedAtMs } };
    }
    after = page.next;
    if (after === undefined) break;
  }
  return { items, next: after };
}

/** A place as a cursor holds it. */
export function placeParts({ jobId, finishedAtMs }: DeadLetterPlace): [number, string] {
  return [finishedAtMs, jobId];
}

/** @throws CoordinatorError COORD_QUERY_INVALID */
export function readPlace([finishedAt = '', jobId = '', ...others]: readonly string[]): DeadLetterPlace {
  if (!/^\d{1,15}$/.test(finishedAt) || jobId === '' || others.length > 0) throw cursorOfAnother();
  return { jobId, finishedAtMs: Number(finishedAt) };
}

function fits(item: DeadLetter, { task, outcome, code }: DeadLetterFilter): boolean {
  return (
    (task === undefined || item.task === task) &&
    (outcome === undefined || item.outcome === outcome) &&
    (code === undefined || item.error?.code === code)
  );
}
