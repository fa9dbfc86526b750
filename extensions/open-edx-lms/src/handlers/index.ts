import type { Handlers } from '@coordinator/extension';
import type { z } from 'zod';
import { createLmsClient } from '../client.ts';
import type { openEdxLmsConfig } from '../config.ts';
import type * as tasks from '../tasks.ts';
import { enrol } from './enrol.ts';

/** The handlers of this extension. */
export function createHandlers(config: z.output<typeof openEdxLmsConfig>): Handlers<typeof tasks> {
  return { enrol: enrol(createLmsClient(config)) };
}
