import { spawn, type ChildProcess } from 'node:child_process';
import { extname, join } from 'node:path';
import type { Answer, Question } from './answer.ts';

/** How to start a {@link BenchProcess}. */
export interface BenchProcessOptions {
  /** What messages call it. */
  readonly name: string;
  /** The file to run: a path without its ending, which is that of this file, so that sources run sources. */
  readonly script: string;
  /** Flags of node. Default none. */
  readonly flags?: readonly string[];
  /** Its environment, besides what every process needs. */
  readonly env?: NodeJS.ProcessEnv;
}

// The rest of somebody's shell (OTEL_*, NODE_OPTIONS, tokens) would change what is measured.
const INHERITED = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR'];
const ENDING = extname(__filename);
/** On a slow disk, under a queue that waits for it at every job, a window takes a while. */
const LONGEST_ANSWER_MS = 120_000;
const KEPT_OUTPUT = 4_000;

const running = new Set<BenchProcess>();

/** A process of the benchmark: it answers questions (see answer.ts), its CPU time among them, and ends with this one. */
export class BenchProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #open = new Map<number, (answer: Answer) => void>();
  #asked = 0;
  #output = '';

  constructor({ name, script, flags = [], env = {} }: BenchProcessOptions) {
    this.name = name;
    const meter = join(__dirname, `cpu-meter${ENDING}`);
    this.#child = spawn(process.execPath, [...process.execArgv, ...flags, '--require', meter, `${script}${ENDING}`], {
      env: { ...inheritedEnvironment(), ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream
        ?.setEncoding('utf8')
        .on('data', (text: string) => (this.#output = (this.#output + text).slice(-KEPT_OUTPUT)));
    }
    this.#child.on('message', (answer: Answer) => this.#open.get(answer.id)?.(answer));
    // Not 'close': it never comes when it was this side that closed the channel.
    this.#ended = new Promise((resolve) => this.#child.once('exit', () => resolve()));
    this.#child.once('error', (error) => (this.#output += error.message));
    running.add(this);
    void this.#ended.then(() => {
      running.delete(this);
      for (const tell of this.#open.values()) tell({ id: 0, error: `it has ended. Its last output:\n${this.#output}` });
    });
  }

  /** Asks the process something. @throws Error with what it said, or its last output when it has ended or is silent. */
  async ask<T>(ask: string, argument?: unknown): Promise<T> {
    const id = ++this.#asked;
    const answered = new Promise<Answer>((resolve) => {
      const late = setTimeout(
        () => resolve({ id, error: `no answer. Its last output:\n${this.#output}` }),
        LONGEST_ANSWER_MS,
      );
      this.#open.set(id, (answer) => {
        clearTimeout(late);
        resolve(answer);
      });
    });
    if (!running.has(this)) throw new Error(`${this.name} has ended. Its last output:\n${this.#output}`);
    this.#child.send({ id, ask, argument } satisfies Question, () => undefined);
    const { value, error } = await answered;
    this.#open.delete(id);
    if (error !== undefined) throw new Error(`${this.name}, asked for "${ask}": ${error}`);
    return value as T;
  }

  /** CPU time it has used since its start, in microseconds. */
  cpuMicros(): Promise<number> {
    return this.ask<number>('cpu');
  }

  /** Ends it: by closing the channel, which lets node write profiles, and by force after 5 s. */
  async stop(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    const force = setTimeout(() => this.#child.kill('SIGKILL'), 5_000);
    await this.#ended;
    clearTimeout(force);
  }
}

/** Ends every process that is still there. */
export async function stopProcesses(): Promise<void> {
  await Promise.all([...running].map((process) => process.stop()));
}

function inheritedEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(INHERITED.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}
