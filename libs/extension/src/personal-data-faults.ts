import { personalDataOf } from '@coordinator/logging';
import type { Extension } from './extension.ts';

/**
 * What an extension does not say about personal data: each field of its payloads and events is marked pii() or noPii(),
 * as edX asks of every model (OEP-30).
 */
export function personalDataFaults({ name, tasks, events }: Extension): string[] {
  return [
    ...Object.values(tasks).flatMap((task) =>
      personalDataOf(task.payload).faults.map((fault) => `${name}: the payload of ${task.name}: ${fault}`),
    ),
    ...events.flatMap((event) =>
      personalDataOf(event.data).faults.map((fault) => `${name}: the data of ${event.name}: ${fault}`),
    ),
  ];
}
