import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type ProcessEnd, tiedToParent } from '@coordinator/task-testing';
import { httpStatus } from './http-status.ts';

/** How to start a {@link ManagedProcess}. */
export interface ManagedProcessOptions {
  /** What people call it: `api`, `worker-2`. */
  name: string;
  /** Program to start. Default: this node. */
  command?: string;
  /** Its arguments; of node: flags, script and the arguments of that. */
  args: readonly string[];
  /** Its whole environment. */
  env: NodeJS.ProcessEnv;
  /** Answers 200 once the process is ready. */
  readyUrl: string;
  /** Told each line it prints. Default: nobody. */
  onLine?: (line: string, name: string) => void;
  /** Told when it ends without having been asked to by this object. Default: nobody. */
  onUnexpectedEnd?: (process: ManagedProcess, end: ProcessEnd) => void;
}

const KEPT_LINES = 5000;

/** A process of ours, which does not outlive this one. */
export class ManagedProcess {
  /** Settles when the process that runs now has ended. */
  exited: Promise<ProcessEnd> = Promise.resolve({ code: 0, signal: null });
  /** What it has printed, restarts included, oldest first; the last 5000 lines. */
  readonly lines: string[] = [];
  private child: ChildProcess | undefined;
  private endExpected = false;

  constructor(private readonly options: ManagedProcessOptions) {}

  /** What people call it. */
  get name(): string {
    return this.options.name;
  }

  /** Process id; another one after a restart, -1 before the first start. */
  get pid(): number {
    return this.child?.pid ?? -1;
  }

  /** Whether it has been started and has not ended. */
  get running(): boolean {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Starts it, without waiting until it is ready. */
  start(): void {
    const [command, args] = tiedToParent(this.options.command ?? process.execPath, this.options.args);
    // In a group of its own: Ctrl-C in the terminal is for the parent, which ends its processes in order.
    const child = spawn(command, args, { env: this.options.env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    this.endExpected = false;
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => this.note(line));
    }
    this.exited = new Promise((settle) => {
      child.once('error', (error) => {
        this.note(error.message);
        settle({ code: 1, signal: null });
      });
      // Not 'exit': its last words are still on the way then.
      child.once('close', (code, signal) => settle({ code, signal }));
    });
    void this.exited.then((end) => {
      if (!this.endExpected) this.options.onUnexpectedEnd?.(this, end);
    });
  }

  /**
   * Waits until it answers that it is ready.
   *
   * @throws Error with its last lines when it ends first, or after `withinMs` (default 30 000).
   */
  async ready(withinMs = 30_000): Promise<void> {
    let ended = false;
    void this.exited.then(() => (ended = true));
    for (const giveUpAt = performance.now() + withinMs; ; await new Promise((wake) => setTimeout(wake, 50))) {
      if (ended || !this.running) throw this.failure('ended before it was ready');
      if ((await httpStatus(this.options.readyUrl)) === 200) return;
      if (performance.now() > giveUpAt) throw this.failure(`was not ready after ${withinMs} ms`);
    }
  }

  /** Sends a signal; `exited` tells when it took effect. Default: SIGTERM. */
  kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') this.endExpected = true;
    if (this.running) this.child?.kill(signal);
  }

  /** Ends it with SIGTERM, and with SIGKILL when that has not helped after `graceMs`. Default: 30 000. */
  async stop(graceMs = 30_000): Promise<ProcessEnd> {
    this.kill('SIGTERM');
    // A stopped process takes no SIGTERM before it goes on.
    this.kill('SIGCONT');
    const force = setTimeout(() => this.kill('SIGKILL'), graceMs);
    const end = await this.exited;
    clearTimeout(force);
    return end;
  }

  /** Starts it again, after SIGTERM where it still runs, and waits until it is ready. */
  async restart(): Promise<void> {
    if (this.running) await this.stop();
    this.start();
    await this.ready();
  }

  /** An error that names the process and shows its last lines. */
  failure(what: string): Error {
    return new Error(`${this.name} ${what}. Its last lines:\n${this.lines.slice(-20).join('\n') || '(none)'}`);
  }

  private note(line: string): void {
    this.lines.push(line);
    if (this.lines.length > KEPT_LINES) this.lines.shift();
    this.options.onLine?.(line, this.name);
  }
}
