import type { DeadLetter, DeadLetterPlace, RedisBackend } from '@coordinator/tasks';

/** Which dead letters are meant; what is not said fits all. */
export interface DeadLetterFilter {
  readonly queue?: string | undefined;
  readonly task?: string | undefined;
  readonly outcome?: string | undefined;
}

/** The options of a command line that make a filter. */
export const FILTER_OPTIONS = {
  queue: { type: 'string' },
  task: { type: 'string' },
  outcome: { type: 'string' },
  limit: { type: 'string' },
} as const;

const PAGE = 100;

/** Finds dead letters, newest first; those that come meanwhile are left out. */
export async function* findDeadLetters(backend: RedisBackend, filter: DeadLetterFilter): AsyncGenerator<DeadLetter> {
  const queues = filter.queue === undefined ? await backend.queuesOfDeadLetters() : [filter.queue];
  let after: DeadLetterPlace | undefined;
  do {
    const { items, next } = await backend.deadLetters({ queues, after, limit: PAGE });
    for (const item of items) if (fits(item, filter)) yield item;
    after = next;
  } while (after);
}

/** @throws Error for what is no count */
export function readLimit(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`--limit is a number from 1 on, and not "${text}".`);
  return Number(text);
}

function fits(item: DeadLetter, { task, outcome }: DeadLetterFilter): boolean {
  return (task === undefined || item.task === task) && (outcome === undefined || item.outcome === outcome);
}
