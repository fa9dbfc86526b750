import type { Erasure, ErasureAction } from '@coordinator/tasks';

const WORDS: Record<ErasureAction, { readonly done: string; readonly toDo: string }> = {
  erased: { done: 'erased', toDo: 'would be erased' },
  cancelled: { done: 'cancelled and erased', toDo: 'would be cancelled and erased' },
  'at-end': { done: 'is erased when its attempt ends', toDo: 'would be erased when its attempt ends' },
  'done-before': { done: 'nothing was left', toDo: 'nothing is left' },
  expired: { done: 'its record has expired', toDo: 'its record has expired' },
};

/** The jobs of a subject and what was done about each, as a table. */
export function drawErasures(erasures: readonly Erasure[], dryRun: boolean): string {
  const rows = erasures.map(({ jobId, task, state, action }) => [
    jobId,
    task,
    state ?? '',
    WORDS[action][dryRun ? 'toDo' : 'done'],
  ]);
  const table = [['JOB', 'TASK', 'WAS', 'NOW'], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  return table
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)))
    .map((cells) => cells.join('  ').trimEnd())
    .join('\n');
}

/** How many jobs each action was taken for; actions that were not taken are left out. */
export function countActions(erasures: readonly Erasure[]): Partial<Record<ErasureAction, number>> {
  const counts: Partial<Record<ErasureAction, number>> = {};
  for (const { action } of erasures) counts[action] = (counts[action] ?? 0) + 1;
  return counts;
}
