import type { Registry } from '@coordinator/extension';
import type { Logger } from '@coordinator/logging';
import { TaskWorker, type RedisBackend, type RedisTlsFiles } from '@coordinator/tasks';

/** What a worker is made of. */
export interface WorkerOptions {
  readonly registry: Registry;
  /** The environment of all extensions, see readConfig. */
  readonly config: unknown;
  readonly backend: RedisBackend;
  readonly redisUrl: string;
  /** For `rediss://`. */
  readonly redisTls?: RedisTlsFiles | undefined;
  /** The queues to take jobs from; empty means all. */
  readonly queues: readonly string[];
  /** Attempts at once, per queue. */
  readonly concurrency: number;
  readonly leaseMs: number;
  readonly release: string;
  readonly log: Logger;
  /** See TaskWorkerOptions. */
  readonly onFailure?: (reason: Error) => void;
}

/**
 * Builds a worker with the handlers of all extensions. Takes no job yet: start() does.
 *
 * @throws RegistryError when a task has no handler; Error when a named queue has no tasks
 */
export async function createWorker(options: WorkerOptions): Promise<TaskWorker> {
  const { registry, config, queues, ...rest } = options;
  const { catalog, routeEvent, schedules } = registry;
  const known = catalog.queues();
  const unknown = queues.filter((queue) => !known.includes(queue));
  if (unknown.length > 0) {
    throw new Error(`WORKER_QUEUES names ${unknown.join(', ')}, but the queues are ${known.join(', ')}`);
  }
  const handlerOf = await registry.loadHandlers(config);
  return new TaskWorker({
    ...rest,
    catalog,
    routeEvent,
    schedules,
    handlerOf,
    queues: queues.length > 0 ? queues : known,
  });
}
