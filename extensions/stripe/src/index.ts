import { defineExtension, paymentRefunded, paymentSucceeded } from '@coordinator/extension';
import { stripeRouteConfig } from './config.ts';
import { receiveEvent } from './routes.ts';
import * as tasks from './tasks.ts';

/** Takes events of Stripe and announces payments and refunds to the other extensions. */
export const stripe = defineExtension({
  name: 'stripe',
  routeConfig: stripeRouteConfig,
  tasks,
  handlers: async () => (await import('./handlers/index.ts')).createHandlers(),
  routes: (config) => [receiveEvent(config.STRIPE_WEBHOOK_SECRETS)],
  events: [paymentSucceeded, paymentRefunded],
  fake: async () => (await import('./fake.ts')).stripeFake,
});
