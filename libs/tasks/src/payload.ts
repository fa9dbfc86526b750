import { schemaFaults } from '@coordinator/logging';
import { CoordinatorError } from './error-codes.ts';
import type { AnyTask } from './task.ts';

/** The payload as its task's schema reads it. @throws CoordinatorError COORD_PAYLOAD_INVALID, with paths and no values. */
export function validPayload(task: AnyTask, payload: unknown): unknown {
  const parsed = task.payload.safeParse(payload);
  if (parsed.success) return parsed.data;
  const faults = schemaFaults(task.payload, parsed.error, payload, 'payload');
  throw new CoordinatorError('COORD_PAYLOAD_INVALID', `The payload of ${task.name} is invalid: ${faults.join('; ')}`, {
    faults,
  });
}
