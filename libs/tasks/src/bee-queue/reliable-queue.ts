import type { Logger } from '@coordinator/logging';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { isUnavailable } from '../error-codes.ts';
import type { Claim } from '../queue-backend.ts';
import { BeeQueue, createPopClient, type PopClient } from './bee-queue.ts';
import type { RedisBackend } from './redis-backend.ts';

/** What a ReliableQueue needs. */
export interface ReliableQueueOptions {
  readonly url: string;
  readonly backend: RedisBackend;
  readonly leaseMs: number;
  readonly log: Logger;
}

const POP_SECONDS = 1;
/** A pop that has not answered by then sits on a dead connection. */
const POP_DEADLINE_MS = POP_SECONDS * 1_000 + 3_000;
const PAUSE_MS = 250;

/**
 * bee-queue's loop and pop, with our transitions in place of its own: a popped id is claimed by script, and the run
 * settles itself. bee-queue's own save, finish, stall check and delayed jobs are never used.
 */
export class ReliableQueue extends BeeQueue {
  readonly #options: ReliableQueueOptions;
  #pop: PopClient | undefined;
  /** Pops take turns: at most one is on the wire, so that stopping waits for one answer only. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(name: string, options: ReliableQueueOptions) {
    super(name, {
      prefix: options.backend.queuePrefix,
      autoConnect: false,
      isWorker: true,
      ensureScripts: false,
      getEvents: false,
      sendEvents: false,
      storeJobs: false,
      activateDelayedJobs: false,
    });
    this.#options = options;
    this.on('error', (error) => options.log.warn({ err: error, queue: name }, 'the pop loop met an error'));
  }

  /** Runs `run` for each claimed job, at most `concurrency` at a time. `run` must settle its claim. */
  consume(concurrency: number, run: (claim: Claim) => Promise<unknown>): void {
    void this.connect();
    this.process(concurrency, (claim) => run(claim as Claim));
  }

  /** Takes no more jobs; resolves when the last pop has answered and what it brought is given back. */
  async stopPopping(): Promise<void> {
    this.paused = true;
    // While Redis is away the pop waits for it; end() fails it then.
    await Promise.race([this.#turn, delay(POP_SECONDS * 1_000 + PAUSE_MS, undefined, { ref: false })]);
    this.#pop?.end(true);
  }

  /** Resolves when no run is left. */
  async idle(): Promise<void> {
    while (this.activeJobs.size > 0) await Promise.allSettled(this.activeJobs);
  }

  override async makeClient(clientName: string): Promise<unknown> {
    // Commands go over the connection of the backend; only the pop blocks one of its own.
    if (clientName !== 'bclient') return null;
    this.#pop = createPopClient(this.#options.url);
    this.#pop.on('error', (error: Error) => this.emit('error', error));
    return (this.bclient = this.#pop);
  }

  override async _doStalledJobCheck(): Promise<number> {
    return 0;
  }

  override async _waitForJob(): Promise<Claim | null> {
    while (!this.paused) {
      try {
        const claim = await this.#takeTurn();
        if (claim) return claim;
      } catch (error) {
        if (this.paused) return null;
        this.emit('error', error);
        await delay(PAUSE_MS * (0.5 + Math.random()));
      }
    }
    return null;
  }

  override _runJob(claim: unknown): Promise<unknown> {
    const run = this.handler(claim).finally(() => this.activeJobs.delete(run));
    this.activeJobs.add(run);
    return run;
  }

  #takeTurn(): Promise<Claim | undefined> {
    const popped = this.#turn.then(() => (this.paused ? null : this.#popOne()));
    this.#turn = popped.catch(() => null);
    return popped.then((id) => (id === null ? undefined : this.#claim(id)));
  }

  /** Claims a popped id, however long Redis takes: the claim may have been made although its answer was lost. */
  async #claim(id: string): Promise<Claim | undefined> {
    const { backend, leaseMs } = this.#options;
    const token = randomUUID();
    for (;;) {
      try {
        return await backend.claim(this.name, id, leaseMs, token);
      } catch (error) {
        if (this.paused || !isUnavailable(error)) throw error;
        await delay(PAUSE_MS * (0.5 + Math.random()));
      }
    }
  }

  async #popOne(): Promise<string | null> {
    const id = await new Promise<string | null>((resolve, reject) => {
      const pop = this.#pop as PopClient;
      const deadline = setTimeout(() => pop.stream.destroy(), POP_DEADLINE_MS);
      pop.brpoplpush(this.toKey('waiting'), this.toKey('active'), POP_SECONDS, (error, popped) => {
        clearTimeout(deadline);
        if (error) reject(error);
        else resolve(popped);
      });
    });
    if (id === null || !this.paused) return id;
    await this.#options.backend.release(this.name, id);
    return null;
  }
}
