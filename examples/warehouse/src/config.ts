import { secret, serviceUrl } from '@coordinator/extension';
import { z } from 'zod';

/** What its handlers read from the environment. */
export const warehouseConfig = z.object({
  /** Base address of the warehouse: `https://warehouse.example.org`. */
  WAREHOUSE_URL: serviceUrl(),
  /** Bearer token of our calls. */
  WAREHOUSE_TOKEN: secret(),
});

/** What its routes read from the environment. */
export const warehouseRouteConfig = z.object({
  /** The warehouse signs its webhooks with it. */
  WAREHOUSE_WEBHOOK_SECRET: secret(),
});

/** See {@link warehouseConfig}. */
export type WarehouseConfig = z.output<typeof warehouseConfig>;
