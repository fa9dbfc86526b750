import { freePort } from '@coordinator/task-testing';
import { ManagedProcess, NODE_FLAGS } from '@coordinator/tools';
import { join } from 'node:path';

/** What a supervised process runs. */
export interface SupervisedProcessOptions {
  readonly name: string;
  /** `coordinator-api` or `coordinator-worker`. */
  readonly app: 'coordinator-api' | 'coordinator-worker';
  /** Folder that holds apps/ and libs/ as they were built. */
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  /** File or pipe that takes what it prints. Default: `onLine` is told. */
  readonly output?: string | undefined;
  /** File that takes its process id before it starts, such as that of a MemoryGroup. Not together with `output`. */
  readonly group?: string | undefined;
  /** Told each line that it prints. */
  readonly onLine: (line: string, name: string) => void;
}

/** An API or a worker that is started again when it ends, as a supervisor of containers would. */
export class SupervisedProcess {
  /** Where it takes requests; of a worker, where it answers probes. */
  readonly url: string;
  /** Where an API answers those who run it. */
  readonly adminUrl: string;
  /** How often it ended without having been told to. */
  crashes = 0;
  /** Of these, how many by kill -9: exit code 137 to a shell. */
  killed = 0;
  #process: ManagedProcess;
  readonly #options: SupervisedProcessOptions;
  #stopped = false;

  private constructor(port: number, adminPort: number, options: SupervisedProcessOptions) {
    this.url = `http://127.0.0.1:${port}`;
    this.adminUrl = `http://127.0.0.1:${adminPort}`;
    this.#options = options;
    this.#process = this.#from(options.root);
  }

  /** Starts one, without waiting for it. */
  static async start(options: SupervisedProcessOptions): Promise<SupervisedProcess> {
    const [port, adminPort] = [await freePort(), await freePort()];
    const own = String(port);
    const ports = { API_PORT: own, WORKER_PORT: own, ADMIN_PORT: String(adminPort) };
    const started = new SupervisedProcess(port, adminPort, { ...options, env: { ...options.env, ...ports } });
    started.#process.start();
    return started;
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Its last lines of output, oldest first. */
  get lines(): readonly string[] {
    return this.#process.lines;
  }

  /** @throws Error with its last lines when it is not ready in time */
  ready(withinMs = 30_000): Promise<void> {
    return this.#process.ready(withinMs);
  }

  /** kill -9, then started again after `downMs`; resolves when it has been started, not when it is ready. */
  async kill(downMs = 0): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#process.exited;
    if (downMs > 0) await new Promise((wake) => setTimeout(wake, downMs));
    if (!this.#stopped) this.#process.start();
  }

  /** Stops it from running, until resume(). */
  freeze(): void {
    this.#process.kill('SIGSTOP');
  }

  resume(): void {
    this.#process.kill('SIGCONT');
  }

  /** SIGTERM; resolves with its exit code and how long it took, in milliseconds. It is not started again. */
  async terminate(): Promise<{ readonly code: number | null; readonly tookMs: number }> {
    const toldAt = performance.now();
    this.#process.kill('SIGTERM');
    const { code } = await this.#process.exited;
    return { code, tookMs: performance.now() - toldAt };
  }

  /** Replaces it, as a release does: SIGTERM, then a start from another folder; resolves when that one is ready. */
  async moveTo(root: string): Promise<void> {
    const { code } = await this.terminate();
    if (code !== 0) throw this.#process.failure(`exited with ${code} when it was replaced`);
    if (this.#stopped) return;
    this.#process = this.#from(root);
    this.#process.start();
    await this.ready();
  }

  /** Starts it again after terminate(). */
  startAgain(): void {
    this.#process.start();
  }

  /** kill -9 for good. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#process.kill('SIGKILL');
    await this.#process.exited;
  }

  #from(root: string): ManagedProcess {
    const { name, app, env, output, group, onLine } = this.#options;
    const main = [...NODE_FLAGS, join(root, 'apps', app, 'dist', 'main.js')];
    // The shell is replaced by node, which keeps its process id.
    const prepared = (script: string, file: string) => {
      return { command: 'sh', args: ['-c', script, file, process.execPath, ...main] };
    };
    const command =
      (output !== undefined && prepared('exec "$@" >"$0"', output)) ||
      (group !== undefined && prepared('echo $$ >"$0" && exec "$@"', group)) ||
      undefined;
    const started: ManagedProcess = new ManagedProcess({
      name,
      ...(command ?? { args: main }),
      env,
      readyUrl: `${this.url}/readyz`,
      onLine,
      onUnexpectedEnd: (_, { code, signal }) => {
        this.crashes += 1;
        if (signal === 'SIGKILL' || code === 137) this.killed += 1;
        if (!this.#stopped) started.start();
      },
    });
    return started;
  }
}
