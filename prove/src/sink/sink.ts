import { freePort } from '@coordinator/task-testing';
import { ManagedProcess } from '@coordinator/tools';
import { join } from 'node:path';
import type { EffectRow, SinkCall } from './effect-ledger.ts';
import type { WaitingGate } from './gates.ts';
import type { Manner } from './manner.ts';

/** The sink, as those see it who set it and read its books. */
export class Sink {
  readonly url: string;
  readonly #process: ManagedProcess;

  private constructor(port: number, process: ManagedProcess) {
    this.url = `http://127.0.0.1:${port}`;
    this.#process = process;
  }

  /** Starts it. @param journal file for its ledger */
  static async start(journal: string): Promise<Sink> {
    const port = await freePort();
    const env = { PATH: process.env.PATH, SINK_PORT: String(port), SINK_JOURNAL: journal };
    const readyUrl = `http://127.0.0.1:${port}/readyz`;
    const child = new ManagedProcess({ name: 'sink', args: [join(__dirname, 'sink-server.js')], env, readyUrl });
    child.start();
    await child.ready();
    return new Sink(port, child);
  }

  /** The effects, in the order in which they were had. */
  effects(): Promise<EffectRow[]> {
    return this.#ask('/__effects');
  }

  /** How many effects and calls there were. */
  count(): Promise<{ effects: number; calls: number }> {
    return this.#ask('/__count');
  }

  /** Every call, in the order in which they came. */
  calls(): Promise<SinkCall[]> {
    return this.#ask('/__calls');
  }

  /** Forgets effects and calls so far: of jobs that have all ended. */
  async forget(): Promise<void> {
    await this.#ask('/__forget');
  }

  /** Attempts that wait at a gate. */
  gates(): Promise<WaitingGate[]> {
    return this.#ask('/__gates');
  }

  /** Opens gates; 'all' also those to come. Returns how many waited. */
  open(gates: readonly string[] | 'all'): Promise<number> {
    return this.#ask('/__open', { gates });
  }

  /** Has a destination answer in this manner. */
  async behave(destination: string, manner: Manner): Promise<void> {
    await this.#ask('/__manner', { destination, manner });
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#process.exited;
  }

  async #ask<T>(path: string, body: object = {}): Promise<T> {
    const answer = await fetch(`${this.url}${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`the sink answered ${answer.status} to ${path}`);
    return (await answer.json()) as T;
  }
}
