import { validPayload, type Schedule } from '@coordinator/tasks';
import type { Extension } from './extension.ts';

/** What is wrong with the schedules of an extension, for each of them. */
export function scheduleFaults({ name, tasks, schedules }: Extension): string[] {
  return schedules.flatMap((schedule) => [
    ...(Object.values(tasks).includes(schedule.task)
      ? []
      : [`${name}: the schedule "${schedule.name}" runs "${schedule.task.name}", which it does not declare`]),
    ...payloadFaults(schedule).map((fault) => `${name}: the schedule "${schedule.name}": ${fault}`),
  ]);
}

/** Tried with the next slot: what cannot be accepted then is better known at the start. */
function payloadFaults({ task, payload, slots }: Schedule): string[] {
  try {
    validPayload(task, payload({ slotAt: new Date(slots.next(Date.now())) }));
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : 'its payload cannot be made'];
  }
}
