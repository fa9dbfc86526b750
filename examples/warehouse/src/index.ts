import { defineExtension, orderLinePlaced, subscribe } from '@coordinator/extension';
import { warehouseConfig, warehouseRouteConfig } from './config.ts';
import { parcelLost } from './routes.ts';
import { endOfDay } from './schedules.ts';
import * as tasks from './tasks.ts';

/** Delivers parcels: it has them shipped by a warehouse. */
export const extension = defineExtension({
  name: 'warehouse',
  config: warehouseConfig,
  routeConfig: warehouseRouteConfig,
  tasks,
  handlers: async (config) => (await import('./handlers/index.ts')).createHandlers(config),
  routes: (config) => [parcelLost(config.WAREHOUSE_WEBHOOK_SECRET)],
  subscriptions: [
    subscribe(orderLinePlaced, tasks.ship, ({ kind, orderNumber, sku, quantity }) =>
      kind === 'parcel' ? { orderNumber, sku, quantity } : undefined,
    ),
  ],
  schedules: [endOfDay],
  fake: async () => (await import('./fake.ts')).warehouseFake,
});
