import type { Erasure, ErasureAction } from '@coordinator/tasks';
import { textTable } from './text-table.ts';

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
  return textTable(['job', 'task', 'was', 'now'], rows);
}

/** How many jobs each action was taken for; actions that were not taken are left out. */
export function countActions(erasures: readonly Erasure[]): Partial<Record<ErasureAction, number>> {
  const counts: Partial<Record<ErasureAction, number>> = {};
  for (const { action } of erasures) counts[action] = (counts[action] ?? 0) + 1;
  return counts;
}
