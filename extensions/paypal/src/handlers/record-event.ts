import type { TaskHandler } from '@coordinator/extension';
import type * as tasks from '../tasks.ts';

/** Writes the line; the job itself is the entry on the timeline. */
export const recordEvent: TaskHandler<typeof tasks.recordEvent> = async ({ eventId, type }, { log }) => {
  log.info({ eventId, type }, 'PayPal event recorded: nothing here acts on it');
};
