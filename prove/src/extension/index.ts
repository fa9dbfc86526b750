import { defineExtension } from '@coordinator/extension';
import { proveConfig, proveRouteConfig } from './config.ts';
import { acceptJob, acceptWebhook } from './routes.ts';
import * as tasks from './tasks.ts';

/** What `npm run prove` has the API and the workers do; loaded through COORDINATOR_EXTENSIONS, never installed. */
export const extension = defineExtension({
  name: 'prove',
  config: proveConfig,
  routeConfig: proveRouteConfig,
  tasks,
  handlers: async (config) => (await import('./handlers/index.ts')).createHandlers(config),
  routes: (config) => [acceptJob, acceptWebhook(config.PROVE_WEBHOOK_SECRET)],
});
