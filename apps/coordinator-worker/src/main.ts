import { redisTlsFiles, workerConfig } from '@coordinator/config';
import { LOOPBACK_RANGES, shareDownstreams } from '@coordinator/downstream';
import { installed } from '@coordinator/installed-extensions';
import { createHealthServer, releaseOf, runProcess } from '@coordinator/process';

import { observeQueues } from '@coordinator/tracing';
import { createWorker } from './worker.ts';

runProcess({
  service: 'coordinator-worker',
  release: releaseOf(__dirname),
  config: workerConfig,
  installed,
  reads: 'config',
  start: async ({
    config,
    registry,
    backend,
    connection,
    admitted,
    release,
    log,
    tracing,
    draining,
    fail,
    replace,
  }) => {
    const production = config.NODE_ENV === 'production';
    shareDownstreams({
      connection,
      log,
      // A share, so that a downstream that hangs leaves some of the worker to its neighbours.
      maxConnections: Math.ceil(config.WORKER_CONCURRENCY / 2),
      privateAddresses: config.DOWNSTREAM_PRIVATE_ADDRESSES ?? (production ? [] : LOOPBACK_RANGES),
    });
    const worker = await createWorker({
      registry,
      config,
      backend,
      redisUrl: config.REDIS_URL.reveal(),
      redisTls: redisTlsFiles(config),
      queues: config.WORKER_QUEUES,
      concurrency: config.WORKER_CONCURRENCY,
      leaseMs: config.WORKER_LEASE_MS,
      release,
      log,
      onFailure: replace,
    });
    const health = createHealthServer({
      release,
      started: () => worker.taking,
      draining,
      assertWritable: () => backend.assertWritable(),
      metricsText: () => tracing.metricsText(),
    });
    observeQueues(() => Promise.all(registry.catalog.queues().map((queue) => backend.readQueue(queue))));
    health.on('error', fail);
    health.listen(config.WORKER_PORT, () => log.info({ port: config.WORKER_PORT }, 'listening'));
    // Its pops go past the connection, which refuses all else until then. Where it does not come, the process ends.
    admitted.then(
      () => draining() || worker.start(),
      () => undefined,
    );
    return async () => {
      await worker.drain(config.SHUTDOWN_GRACE_MS);
      health.close();
    };
  },
});
