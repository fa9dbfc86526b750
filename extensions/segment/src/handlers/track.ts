import type { TaskHandler } from '@coordinator/extension';
import type { SegmentClient } from '../client.ts';
import type * as tasks from '../tasks.ts';

/** Sends one event to Segment. */
export const track =
  (segment: SegmentClient): TaskHandler<typeof tasks.track> =>
  async (event, context) => {
    await context.step('track', ({ idempotencyKey }) =>
      segment.track(event, { idempotencyKey, signal: context.signal }),
    );
  };
