import type { Handlers } from '@coordinator/extension';
import type * as tasks from '../tasks.ts';
import { recordEvent } from './record-event.ts';

/** The handlers of this extension. */
export function createHandlers(): Handlers<typeof tasks> {
  return { recordEvent };
}
