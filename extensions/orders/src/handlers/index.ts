import type { Handlers } from '@coordinator/extension';
import type * as tasks from '../tasks.ts';
import { fulfil } from './fulfil.ts';

/** The handlers of this extension. */
export function createHandlers(): Handlers<typeof tasks> {
  return { fulfil };
}
