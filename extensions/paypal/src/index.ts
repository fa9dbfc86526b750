import { defineExtension, paymentRefunded, paymentSucceeded } from '@coordinator/extension';
import { paypalConfig, paypalRouteConfig } from './config.ts';
import { receiveEvent } from './routes.ts';
import * as tasks from './tasks.ts';

/** Takes events of PayPal, asks PayPal whether they are true, and announces payments and refunds to the other extensions. */
export const paypal = defineExtension({
  name: 'paypal',
  config: paypalConfig,
  routeConfig: paypalRouteConfig,
  tasks,
  handlers: async (config) => (await import('./handlers/index.ts')).createHandlers(config),
  routes: (config) => [
    receiveEvent({ webhookIds: config.PAYPAL_WEBHOOK_IDS, certificates: config.PAYPAL_WEBHOOK_CERTS }),
  ],
  events: [paymentSucceeded, paymentRefunded],
  fake: async () => (await import('./fake.ts')).paypalFake,
});
