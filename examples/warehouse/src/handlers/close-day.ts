import type { TaskHandler } from '@coordinator/extension';
import type { WarehouseClient } from '../client.ts';
import type * as tasks from '../tasks.ts';

/** Closes a day in one call. */
export const closeDay =
  (warehouse: WarehouseClient): TaskHandler<typeof tasks.closeDay> =>
  async ({ day }, { step, signal }) => {
    await step('close', ({ idempotencyKey }) => warehouse.closeDay(day, { idempotencyKey, signal }));
  };
