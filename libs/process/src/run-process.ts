import { ConfigError, coreConfig, readConfig, redisTlsFiles, type Config } from '@coordinator/config';
import { loadExtensions, Registry, RegistryError, type Extension } from '@coordinator/extension';
import { createLogger, flushLogs, maskText, type Logger } from '@coordinator/logging';
import {
  checkRedisServer,
  CoordinatorError,
  DEFAULT_KEY_PREFIX,
  keepLayout,
  PayloadCipher,
  RedisBackend,
  RedisConnection,
} from '@coordinator/tasks';
import { startTracing, type Tracing } from '@coordinator/tracing';
import { inspect } from 'node:util';
import type { z } from 'zod';

/** What a process works with. */
export interface ProcessParts<Settings> {
  /** The environment of the process, and what it needs of that of all extensions. */
  readonly config: Settings;
  readonly registry: Registry;
  readonly backend: RedisBackend;
  /** What the backend uses. */
  readonly connection: RedisConnection;
  /** Resolves when Redis is there and holds what this release can work on; never where it does not. */
  readonly admitted: Promise<void>;
  readonly release: string;
  readonly log: Logger;
  readonly tracing: Tracing;
  /** True once the process was told to stop. */
  readonly draining: () => boolean;
  /** Ends the process with a message and exit code 1; for faults that leave nothing to go on with. */
  readonly fail: (error: unknown) => void;
  /** Ends the work as at SIGTERM, and the process with exit code 1, so that it is replaced. */
  readonly replace: () => void;
}

/** What a process is. */
export interface ProcessOptions<Schema extends z.ZodObject> {
  /** Name in logs and traces. */
  readonly service: string;
  readonly release: string;
  /** What it reads from the environment besides coreConfig and the variables of extensions. */
  readonly config: Schema;
  readonly installed: readonly Extension[];
  /** The part of an extension's variables that this process needs. */
  readonly reads: 'config' | 'routeConfig';
  /** Begins the work. What it returns is called once, at SIGTERM or SIGINT, and ends the work. */
  readonly start: (parts: ProcessParts<Config<[typeof coreConfig, Schema]>>) => Promise<() => Promise<void>>;
}

/** How the process ends when there is nothing to go on with; set once there is a log and a trace to tell it. */
let abandon: (error: unknown) => Promise<void> = async () => undefined;
let failing = false;

/**
 * Runs a process: reads the environment (all faults at once, exit 1), starts telemetry, connects to Redis (which may be
 * away), starts the work; at SIGTERM or SIGINT ends the work and exits 0; at a second signal exits 1 at once. An error
 * that nobody has caught ends it with 1: Redis is left at once, so that nothing more is claimed or written by what is
 * broken, then telemetry has its two seconds.
 */
export function runProcess<Schema extends z.ZodObject>(options: ProcessOptions<Schema>): void {
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  run(options).catch(fail);
}

async function run<Schema extends z.ZodObject>(options: ProcessOptions<Schema>): Promise<void> {
  const { service, release, start } = options;
  const own = [coreConfig, options.config] as [typeof coreConfig, Schema];
  // The extensions must be known before their variables can be read; their faults are reported together with ours.
  const registry = new Registry(await loadExtensions(options.installed, extensionPackages()));
  const config = readConfig([...own, ...registry.extensions.map((extension) => extension[options.reads])]) as Config<
    typeof own
  >;
  const core = config as Config<[typeof coreConfig]>;
  if (core.NODE_ENV === 'production') refuseProto();

  const log = createLogger({ service, release, level: core.LOG_LEVEL });
  const tracing = startTracing({
    service,
    release,
    onProblem: (problem) => log.warn({ problem }, 'telemetry trouble'),
  });
  const connection = new RedisConnection({
    url: core.REDIS_URL.reveal(),
    tls: redisTlsFiles(core),
    waitReplicas: core.REDIS_WAIT_REPLICAS,
    log,
  });
  abandon = async (error) => {
    log.fatal({ err: error }, 'the process cannot go on');
    connection.close();
    await tracing.shutdown();
  };
  let draining = false;
  const admitted = connection.connect(async ({ run, command }) => {
    await refuseUnsafeServer({ command, authenticated: connection.authenticated }, core, log);
    await keepLayout(run, DEFAULT_KEY_PREFIX);
  });
  // Closing while Redis was never reached is no fault.
  admitted.catch((error: unknown) => (draining ? undefined : fail(error)));
  const backend = new RedisBackend(connection, {
    maxDepth: core.QUEUE_MAX_DEPTH,
    retention: { completedMs: core.COMPLETED_RETENTION_MS, deadMs: core.DEAD_RETENTION_MS },
    cipher: payloadCipher(core, log),
  });

  const replace = () => void stop('failure', 1).catch(fail);
  const end = await start({
    ...{ config, registry, backend, connection, admitted, release, log, tracing, fail, replace },
    draining: () => draining,
  });
  const stop = async (reason: string, exitCode = 0) => {
    if (draining) return;
    draining = true;
    log.info({ reason }, 'draining');
    await end();
    connection.close();
    await tracing.shutdown();
    log.info('stopped');
    flushLogs();
    process.exit(exitCode);
  };
  let signals = 0;
  const onSignal = (signal: NodeJS.Signals) => {
    signals += 1;
    // The first one may come while the process is being replaced: that is no reason to leave jobs behind.
    if (signals > 1) process.exit(1);
    void stop(signal).catch(fail);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

/** JSON that names `__proto__` is refused where it comes in; without the accessor it does nothing anywhere else, either. */
function refuseProto(): void {
  if (!Object.hasOwn(Object.prototype, '__proto__')) return;
  throw new ConfigError(['Node runs without --disable-proto=delete: start it as node --disable-proto=delete main.js']);
}

function payloadCipher({ PAYLOAD_KEYS, NODE_ENV }: Config<[typeof coreConfig]>, log: Logger): PayloadCipher {
  const cipher = new PayloadCipher(PAYLOAD_KEYS);
  const [first, ...others] = cipher.keyIds;
  if (first !== undefined) {
    log.info({ encryptsWith: first, decryptsToo: others }, 'payloads are encrypted at rest');
  } else if (NODE_ENV === 'production') {
    log.warn('payloads are stored in the clear: set PAYLOAD_KEYS to encrypt them');
  }
  return cipher;
}

/** @throws ConfigError for a server that would lose jobs, CoordinatorError COORD_QUEUE_UNAVAILABLE */
async function refuseUnsafeServer(
  redis: Parameters<typeof checkRedisServer>[0],
  { NODE_ENV, REDIS_PERSISTENCE }: Config<[typeof coreConfig]>,
  log: Logger,
): Promise<void> {
  // A developer's own Redis may keep as little as it likes.
  const declared = NODE_ENV === 'production' ? REDIS_PERSISTENCE : undefined;
  const { faults, warnings } = await checkRedisServer(redis, declared);
  for (const warning of warnings) log.warn(warning);
  if (faults.length > 0) throw new ConfigError(faults.map((fault) => `REDIS_URL: ${fault}`));
}

function extensionPackages(): readonly string[] {
  return readConfig([coreConfig.pick({ COORDINATOR_EXTENSIONS: true })]).COORDINATOR_EXTENSIONS;
}

function fail(error: unknown): void {
  // What breaks while all is taken down says nothing new.
  if (failing) return;
  failing = true;
  // An error that no handler caught may quote what it was about.
  process.stderr.write(`${maskText(lastWords(error))}\n`);
  void abandon(error).finally(() => {
    flushLogs();
    process.exit(1);
  });
}

/** What ends the process, for the person who reads its output: the stack, where the message alone does not say it all. */
function lastWords(error: unknown): string {
  if (!(error instanceof Error)) return typeof error === 'string' ? error : inspect(error);
  if (error instanceof ConfigError || error instanceof RegistryError) return error.message;
  if (error instanceof CoordinatorError && error.code === 'COORD_LAYOUT_UNKNOWN')
    return `${error.code}: ${error.message}`;
  return error.stack ?? error.message;
}
