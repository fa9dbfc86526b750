import { defineExtension } from '@coordinator/extension';
import { proveConfig } from '../extension/config.ts';
import { acceptJob } from './routes.ts';
import * as tasks from './tasks.ts';

/** The extension as a release after this one could have it: a payload of another shape, and a task that is new. */
export const extension = defineExtension({
  name: 'prove',
  config: proveConfig,
  tasks,
  handlers: async (config) => (await import('./handlers/index.ts')).createHandlers(config),
  routes: () => [acceptJob],
});
