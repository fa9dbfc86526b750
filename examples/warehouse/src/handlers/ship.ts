import type { TaskHandler } from '@coordinator/extension';
import type { WarehouseClient } from '../client.ts';
import type * as tasks from '../tasks.ts';

/** Ships in one call. */
export const ship =
  (warehouse: WarehouseClient): TaskHandler<typeof tasks.ship> =>
  async (shipment, { step, signal }) => {
    await step('ship', ({ idempotencyKey }) => warehouse.ship(shipment, { idempotencyKey, signal }));
  };
