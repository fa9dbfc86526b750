import { ManagedProcess } from '../../managed-process.ts';
import type { ImageEngine } from '../image-engine.ts';

/** How to run a {@link Container}. */
export interface ContainerOptions {
  /** Nothing else that runs may have it. */
  readonly name: string;
  readonly image: string;
  readonly env: NodeJS.ProcessEnv;
  /** Answers 200 once the process in it is ready. */
  readonly readyUrl: string;
}

/** A container that may do next to nothing: no write anywhere, no capability, no new rights; on the network of this machine. */
export class Container extends ManagedProcess {
  readonly #engine: ImageEngine;

  constructor(engine: ImageEngine, { name, image, env, readyUrl }: ContainerOptions) {
    super({
      ...{ name, readyUrl, env: process.env, command: engine.name },
      args: ['run', '--name', name, ...confinement(engine), ...environmentFlags(env), image],
    });
    this.#engine = engine;
  }

  /** Calls a function, which must stand alone, in a node of its own inside, and gives what it returns. */
  async evaluate<T>(fn: () => T): Promise<T> {
    const printed = await this.#engine.call('exec', this.name, 'node', '-p', `JSON.stringify((${String(fn)})())`);
    return JSON.parse(printed) as T;
  }
}

/** Runs an image once and gives what it prints. */
export function runOnce(
  engine: ImageEngine,
  image: string,
  env: NodeJS.ProcessEnv,
  ...args: string[]
): Promise<string> {
  return engine.call('run', ...confinement(engine), ...environmentFlags(env), image, ...args);
}

function confinement({ name }: ImageEngine): string[] {
  return [
    ...['--rm', '--network=host', '--read-only', '--cap-drop=all', '--security-opt=no-new-privileges'],
    // What podman mounts to be written to unless it is told not to.
    ...(name === 'podman' ? ['--read-only-tmpfs=false', ...ownLimits()] : []),
  ];
}

/** What podman leaves of the limit of processes, where it may not raise it. */
const MOST_PROCESSES = 32_768;

/** podman raises limits by default, which it may not do inside of some containers and virtual machines. */
function ownLimits(): string[] {
  const { userLimits } = process.report.getReport() as { userLimits?: Record<string, { hard: number | string }> };
  const [files, processes] = [userLimits?.open_files?.hard, userLimits?.max_user_processes?.hard];
  return [
    ...(typeof files === 'number' ? [`--ulimit=nofile=${files}:${files}`] : []),
    ...(typeof processes === 'number' ? [`--ulimit=nproc=${Math.min(processes, MOST_PROCESSES)}`] : []),
  ];
}

function environmentFlags(env: NodeJS.ProcessEnv): string[] {
  return Object.entries(env).map(([name, value]) => `--env=${name}=${value}`);
}
