import { defineExtension, orderLinePlaced } from '@coordinator/extension';
import { placeOrder } from './routes.ts';
import * as tasks from './tasks.ts';

/** Takes orders from the shop and has their lines delivered. */
export const orders = defineExtension({
  name: 'orders',
  tasks,
  handlers: async () => (await import('./handlers/index.ts')).createHandlers(),
  routes: () => [placeOrder],
  events: [orderLinePlaced],
});
