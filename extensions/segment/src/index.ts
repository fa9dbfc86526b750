import { defineExtension, paymentRefunded, paymentSucceeded, subscribe } from '@coordinator/extension';
import { segmentConfig } from './config.ts';
import { orderCompleted, orderRefunded } from './order-events.ts';
import * as tasks from './tasks.ts';

/** Tells Segment about payments and refunds, whichever processor they went through. */
export const segment = defineExtension({
  name: 'segment',
  config: segmentConfig,
  tasks,
  handlers: async (config) => (await import('./handlers/index.ts')).createHandlers(config),
  subscriptions: [
    subscribe(paymentSucceeded, tasks.track, orderCompleted),
    subscribe(paymentRefunded, tasks.track, orderRefunded),
  ],
  fake: async () => (await import('./fake.ts')).segmentFake,
});
