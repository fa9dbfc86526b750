import { apiConfig, ConfigError, type Secret } from '@coordinator/config';
import { installed } from '@coordinator/installed-extensions';
import { createHealthServer, releaseOf, runProcess } from '@coordinator/process';

import { createApp } from './app.ts';
import { createApiServer, drainServer } from './server.ts';

runProcess({
  service: 'coordinator-api',
  release: releaseOf(__dirname),
  config: apiConfig,
  installed,
  start: async ({ config, registry, backend, release, log, tracing, draining, fail }) => {
    const tokens = callerTokens(config.API_TOKENS, config.NODE_ENV);
    const server = createApiServer(createApp({ registry, config, backend, tokens, release, log, draining }), draining);
    server.on('error', fail);
    server.listen(config.API_PORT, () => log.info({ port: config.API_PORT }, 'listening'));
    const health = createHealthServer({
      release,
      draining,
      assertWritable: () => backend.assertWritable(),
      metricsText: () => tracing.metricsText(),
    });
    health.on('error', fail);
    health.listen(config.ADMIN_PORT);
    return () => drainServer({ server, log, graceMs: config.SHUTDOWN_GRACE_MS, delayMs: config.SHUTDOWN_DELAY_MS });
  },
});

/** In development nobody may call `/v1` until tokens are set; in production that is a fault. */
function callerTokens(
  tokens: ReadonlyMap<string, Secret> | undefined,
  environment: string,
): ReadonlyMap<string, Secret> {
  if (!tokens && environment === 'production') {
    throw new ConfigError(['API_TOKENS: set it to the callers and their tokens, for example shop=SECRET']);
  }
  return tokens ?? new Map();
}
