import { apiConfig, type Config, type coreConfig } from '@coordinator/config';
import { installed } from '@coordinator/installed-extensions';
import type { Logger } from '@coordinator/logging';
import { createHealthServer, releaseOf, runProcess, type TlsSettings } from '@coordinator/process';
import { once } from 'node:events';
import { createAdminApp } from './admin/admin-app.ts';
import { createApp } from './app.ts';
import { bearerCheck } from './bearer.ts';
import { checkedTokens } from './checked-tokens.ts';
import { JwtCheck } from './jwt.ts';
import { answerProtocolErrors } from './protocol-errors.ts';
import type { Rate } from './rate-limit.ts';
import { createApiServer, drainServer } from './server.ts';

type ApiConfig = Config<[typeof coreConfig, typeof apiConfig]>;

runProcess({
  service: 'coordinator-api',
  release: releaseOf(__dirname),
  config: apiConfig,
  installed,
  reads: 'routeConfig',
  start: async ({ config, registry, backend, connection, admitted, release, log, tracing, draining, fail }) => {
    let started = false;
    const jwt = jwtCheck(config, log);
    const { tokens, adminTokens } = checkedTokens(config);
    const app = createApp({
      ...{ registry, config, backend, tokens, jwt, release, log, draining, started: () => started },
      hosts: config.API_HOSTS,
      rate: callerRate(config),
      overload: {
        maxInFlight: config.API_MAX_IN_FLIGHT,
        maxLoopLagMs: config.API_MAX_LOOP_LAG_MS,
        maxHeldBytes: config.API_MAX_HELD_BYTES,
      },
    });
    const tls = tlsSettings(config, log);
    const server = createApiServer({ app, draining, maxConnections: config.API_MAX_CONNECTIONS, tls });
    server.on('error', fail);
    server.listen({ port: config.API_PORT, host: config.API_HOST }, () =>
      log.info({ port: config.API_PORT, tls: tls !== undefined }, 'listening'),
    );
    const health = createHealthServer({
      release,
      started: () => started,
      draining,
      assertWritable: () => backend.assertWritable(),
      metricsText: () => tracing.metricsText(),
      others: createAdminApp({
        ...{ registry, backend, connection, release, log, draining },
        tokens: adminTokens,
        checkCaller: bearerCheck(tokens, jwt),
      }),
    });
    answerProtocolErrors(health);
    health.on('error', fail);
    health.listen(config.ADMIN_PORT);
    // Where Redis does not come, or holds what is not ours, it never has: the process ends, or waits on.
    Promise.all([admitted, once(server, 'listening')]).then(
      () => (started = true),
      () => undefined,
    );
    // Nobody has to look away from a developer's own.
    const delayMs = config.SHUTDOWN_DELAY_MS ?? (config.NODE_ENV === 'production' ? 5_000 : 0);
    return async () => {
      await drainServer({ server, log, graceMs: config.SHUTDOWN_GRACE_MS, delayMs });
      // Probes are asked until the end.
      await drainServer({ server: health, log, graceMs: 1_000, delayMs: 0 });
    };
  },
});

function jwtCheck(config: ApiConfig, log: Logger): JwtCheck | undefined {
  const { API_JWT_KEYS_FILE: keysFile, API_JWT_ISSUER: issuer, API_JWT_AUDIENCE: audience } = config;
  if (keysFile === undefined || issuer === undefined || audience === undefined) return undefined;
  return new JwtCheck({ keysFile, issuer, audience, scope: config.API_JWT_SCOPE, log });
}

function callerRate({ API_RATE_PER_SECOND: perSecond, API_RATE_BURST: burst }: ApiConfig): Rate | undefined {
  return perSecond === undefined ? undefined : { perSecond, burst };
}

function tlsSettings(config: ApiConfig, log: Logger): TlsSettings | undefined {
  const { API_TLS_CERT_FILE: certFile, API_TLS_KEY_FILE: keyFile } = config;
  if (certFile === undefined || keyFile === undefined) return undefined;
  const { API_TLS_CLIENT_CA_FILE: clientCaFile, API_TLS_CLIENT_NAMES: clientNames } = config;
  return { certFile, keyFile, clientCaFile, clientNames, log };
}
