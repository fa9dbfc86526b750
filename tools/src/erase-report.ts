import type { ErasureAction, JobState } from '@coordinator/tasks';
import { textTable } from './text-table.ts';

/** A job about an erased subject, as the admin API shows it. */
export interface ShownErasure {
  readonly jobId: string;
  readonly task: string;
  readonly state: JobState | null;
  readonly action: ErasureAction;
}

const WORDS: Record<ErasureAction, { readonly done: string; readonly toDo: string }> = {
  erased: { done: 'erased', toDo: 'would be erased' },
  cancelled: { done: 'cancelled and erased', toDo: 'would be cancelled and erased' },
  'at-end': { done: 'is erased when its attempt ends', toDo: 'would be erased when its attempt ends' },
  'done-before': { done: 'nothing was left', toDo: 'nothing is left' },
  expired: { done: 'its record has expired', toDo: 'its record has expired' },
};

/** The jobs of a subject and what was done about each, as a table. */
export function drawErasures(erasures: readonly ShownErasure[], dryRun: boolean): string {
  const rows = erasures.map(({ jobId, task, state, action }) => [
    jobId,
    task,
    state ?? '',
    WORDS[action][dryRun ? 'toDo' : 'done'],
  ]);
  return textTable(['job', 'task', 'was', 'now'], rows);
}
