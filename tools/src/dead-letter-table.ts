import type { Failure } from '@coordinator/tasks';
import { textTable } from './text-table.ts';

/** A dead letter as the admin API shows it. */
export interface ShownDeadLetter {
  readonly jobId: string;
  readonly task: string | null;
  readonly queue: string;
  readonly finishedAt: string | null;
  readonly attempts: number;
  readonly outcome: string | null;
  readonly error: Failure | null;
}

const HEAD = ['job', 'task', 'queue', 'since', 'attempts', 'outcome', 'error'];

/** Dead letters as text, a line each. */
export function drawDeadLetters(items: readonly ShownDeadLetter[], more: boolean): string {
  if (items.length === 0) return 'There are no such dead letters.';
  const rows = items.map(({ jobId, task, queue, finishedAt, attempts, outcome, error }) => {
    const text = error ? `${error.code} ${error.message}` : '';
    return [jobId, task ?? 'unknown', queue, finishedAt ?? '', String(attempts), outcome ?? '', inOneLine(text)];
  });
  const rest = more ? `\n\nThere are more than these ${items.length}: --limit N shows them.` : '';
  return textTable(HEAD, rows) + rest;
}

/** What a downstream has answered may hold anything, also what a terminal obeys. */
function inOneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ');
}
