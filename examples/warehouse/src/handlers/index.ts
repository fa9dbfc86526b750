import type { Handlers } from '@coordinator/extension';
import { WarehouseClient } from '../client.ts';
import type { WarehouseConfig } from '../config.ts';
import type * as tasks from '../tasks.ts';
import { closeDay } from './close-day.ts';
import { ship } from './ship.ts';

/** The handlers of this extension. */
export function createHandlers(config: WarehouseConfig): Handlers<typeof tasks> {
  const warehouse = new WarehouseClient(config);
  return { ship: ship(warehouse), closeDay: closeDay(warehouse) };
}
