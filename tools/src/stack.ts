import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, type ProcessEnd, type RedisServer, startRedis } from '@coordinator/task-testing';
import { ManagedProcess } from './managed-process.ts';
import { NODE_FLAGS, REPOSITORY } from './repository.ts';
import { sandboxSettings } from './sandbox-settings.ts';
import { stackEnvironment } from './stack-environment.ts';

/** Ports of the first process of each kind; further ones get free ports. Default of each: a free one. */
export interface StackPorts {
  api?: number;
  admin?: number;
  worker?: number;
  sandbox?: number;
}

/** Settings of {@link startStack}. */
export interface StackOptions {
  /** A server or the URL of one, neither of which is stopped with the stack. Default: one of its own. */
  redis?: RedisServer | string;
  /** The address that the processes of an app are given for it, for example with a user of its own. Default: its own. */
  redisUrl?: (app: string) => string;
  /** Default: free ones. */
  ports?: StackPorts;
  /** Settings for all processes; they win over what the stack would set, ports and Redis excepted. Default: none. */
  env?: NodeJS.ProcessEnv;
  /** The folder in which an app is `apps/<app>`, for example a tree of writeAppTree(). Default: this checkout, for all. */
  rootOf?: (app: string) => string;
  /** How many workers. Default: 1. */
  workers?: number;
  /** How many API processes. Default: 1. */
  apis?: number;
  /** Ends a start that is under way, which then throws. Default: none. */
  signal?: AbortSignal;
  /** Told each line that a process prints. Default: nobody. */
  onLine?: (line: string, name: string) => void;
  /** Told when a process ends that nobody has told to. Default: nobody. */
  onUnexpectedEnd?: (process: ManagedProcess, end: ProcessEnd) => void;
}

/** A whole Coordinator, as separate node processes that run what is built. */
export interface Stack {
  api: ManagedProcess[];
  worker: ManagedProcess[];
  sandbox: ManagedProcess;
  /** The server that the stack started or was given; undefined when it was given a URL. */
  redis: RedisServer | undefined;
  urls: StackUrls;
  /** Drains: API and workers first, then the sandbox, then a Redis of its own. May be called again. */
  stop(): Promise<void>;
  /** Ends every process at once, without draining. */
  kill(): Promise<void>;
}

/** Where the processes of a {@link Stack} answer, without a slash at the end. */
export interface StackUrls {
  /** The first API process. */
  api: string;
  /** Every API process. */
  apis: string[];
  /** Probes and metrics of the first API process. */
  admin: string;
  /** Every worker's probes and metrics. */
  workers: string[];
  sandbox: string;
  redis: string;
}

/**
 * Starts sandbox, API and worker processes, and a Redis unless one is given, and waits until all are ready.
 *
 * @throws RedisNotFoundError; Error naming the process that did not come up, with its last lines. Nothing is left running.
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const own = options.redis === undefined ? await startRedis({ args: ['--maxmemory', '1gb'] }) : undefined;
  const redis = own ?? (typeof options.redis === 'string' ? undefined : options.redis);
  const redisUrl = typeof options.redis === 'string' ? options.redis : (redis?.url ?? '');
  const processes: ManagedProcess[] = [];
  const kill = async () => {
    for (const started of processes) started.kill('SIGKILL');
    await Promise.all(processes.map(({ exited }) => exited));
    await own?.stop();
  };
  options.signal?.addEventListener('abort', () => void kill(), { once: true });
  try {
    const ports = await choosePorts(options);
    const env = await environment(options, ports, redisUrl);
    options.signal?.throwIfAborted();
    const launch = launcher(processes, options);
    const sandbox = launch('sandbox', 'sandbox', ports.sandbox, env);
    const api = ports.apis.map((port, index) => {
      const ownPorts = { API_PORT: String(port), ADMIN_PORT: String(ports.admins[index]) };
      return launch(numbered('api', index), 'coordinator-api', port, { ...env, ...ownPorts });
    });
    const worker = ports.workers.map((port, index) =>
      launch(numbered('worker', index), 'coordinator-worker', port, { ...env, WORKER_PORT: String(port) }),
    );
    await Promise.all(processes.map((started) => started.ready()));
    return {
      api,
      worker,
      sandbox,
      redis,
      urls: urlsOf(ports, redisUrl),
      kill,
      async stop() {
        await Promise.all([...api, ...worker].map((started) => started.stop()));
        await sandbox.stop();
        await own?.stop();
      },
    };
  } catch (error) {
    await kill();
    throw error;
  }
}

interface ChosenPorts {
  apis: number[];
  admins: number[];
  workers: number[];
  sandbox: number;
}

async function choosePorts({ ports = {}, apis = 1, workers = 1 }: StackOptions): Promise<ChosenPorts> {
  const taken = new Set<number>(Object.values(ports));
  const choose = async (wanted?: number) => {
    let port = wanted ?? (await freePort());
    while (wanted === undefined && taken.has(port)) port = await freePort();
    taken.add(port);
    return port;
  };
  const several = async (count: number, first?: number) => {
    const chosen: number[] = [];
    for (let index = 0; index < count; index += 1) chosen.push(await choose(index === 0 ? first : undefined));
    return chosen;
  };
  return {
    apis: await several(apis, ports.api),
    admins: await several(apis, ports.admin),
    workers: await several(workers, ports.worker),
    sandbox: await choose(ports.sandbox),
  };
}

async function environment(options: StackOptions, ports: ChosenPorts, redisUrl: string): Promise<NodeJS.ProcessEnv> {
  const env = {
    ...stackEnvironment(ports.sandbox, options.env ?? {}),
    REDIS_URL: redisUrl,
    // The sandbox sends its webhooks to the first API.
    API_PORT: String(ports.apis[0]),
    SANDBOX_PORT: String(ports.sandbox),
  };
  return { ...(await sandboxSettings(mainOf('sandbox', options.rootOf), env)), ...env };
}

function launcher(processes: ManagedProcess[], { redisUrl, rootOf, onLine, onUnexpectedEnd }: StackOptions) {
  return (name: string, app: string, port: number, shared: NodeJS.ProcessEnv): ManagedProcess => {
    const env = redisUrl ? { ...shared, REDIS_URL: redisUrl(app) } : shared;
    const args = [...NODE_FLAGS, mainOf(app, rootOf)];
    const readyUrl = `${localUrl(port)}/readyz`;
    const started = new ManagedProcess({ name, args, env, readyUrl, onLine, onUnexpectedEnd });
    processes.push(started);
    started.start();
    return started;
  };
}

function urlsOf(ports: ChosenPorts, redis: string): StackUrls {
  const apis = ports.apis.map(localUrl);
  return {
    api: apis[0] ?? '',
    apis,
    admin: localUrl(ports.admins[0] ?? 0),
    workers: ports.workers.map(localUrl),
    sandbox: localUrl(ports.sandbox),
    redis,
  };
}

function numbered(name: string, index: number): string {
  return index === 0 ? name : `${name}-${index + 1}`;
}

function mainOf(app: string, rootOf: StackOptions['rootOf'] = () => REPOSITORY): string {
  const main = join(rootOf(app), 'apps', app, 'dist', 'main.js');
  if (!existsSync(main)) throw new Error(`${main} is missing: build first, with npx tsc --build.`);
  return main;
}

function localUrl(port: number): string {
  return `http://127.0.0.1:${port}`;
}
