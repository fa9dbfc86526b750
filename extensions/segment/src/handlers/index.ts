import type { Handlers } from '@coordinator/extension';
import type { z } from 'zod';
import { createSegmentClient } from '../client.ts';
import type { segmentConfig } from '../config.ts';
import type * as tasks from '../tasks.ts';
import { track } from './track.ts';

/** The handlers of this extension. */
export function createHandlers(config: z.output<typeof segmentConfig>): Handlers<typeof tasks> {
  return { track: track(createSegmentClient(config)) };
}
