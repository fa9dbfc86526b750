import type { DeadLetter } from '@coordinator/tasks';
import { textTable } from './text-table.ts';

const HEAD = ['job', 'task', 'queue', 'since', 'attempts', 'outcome', 'error'];

/** Dead letters as text, a line each. */
export function drawDeadLetters(items: readonly DeadLetter[], more: boolean): string {
  if (items.length === 0) return 'There are no such dead letters.';
  const rows = items.map(({ jobId, task = 'unknown', queue, finishedAtMs = 0, attempt, outcome = '', error }) => {
    const since = new Date(finishedAtMs).toISOString();
    const text = error ? `${error.code} ${error.message}` : '';
    return [jobId, task, queue, since, String(attempt), outcome, inOneLine(text)];
  });
  const rest = more ? `\n\nThere are more than these ${items.length}: --limit N shows them.` : '';
  return textTable(HEAD, rows) + rest;
}

/** What a downstream has answered may hold anything, also what a terminal obeys. */
function inOneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ');
}
