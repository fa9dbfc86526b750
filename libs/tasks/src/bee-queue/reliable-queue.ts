import type { Logger } from '@coordinator/logging';
import { randomUUID } from 'node:crypto';
import { setImmediate as nextLoop, setTimeout as delay } from 'node:timers/promises';
import { isUnavailable } from '../error-codes.ts';
import type { Claim } from '../queue-backend.ts';
import { RepeatedErrors } from '../repeated-errors.ts';
import { BeeQueue, createPopClient, type PopClient } from './bee-queue.ts';
import type { RedisBackend } from './redis-backend.ts';
import { redisTls, type RedisTlsFiles } from './redis-tls.ts';

/** What a ReliableQueue needs. */
export interface ReliableQueueOptions {
  readonly url: string;
  /** For `rediss://`. */
  readonly tls?: RedisTlsFiles | undefined;
  readonly backend: RedisBackend;
  readonly leaseMs: number;
  /** What this worker can read; see TaskCatalog.readable(). */
  readonly readable: readonly string[];
  readonly log: Logger;
  /** Hears of claims before any of their handlers runs. */
  readonly onClaimed: (claims: readonly Claim[]) => void;
}

const POP_SECONDS = 1;
/** A pop that has not answered by then sits on a dead connection. */
const POP_DEADLINE_MS = POP_SECONDS * 1_000 + 3_000;
const PAUSE_MS = 250;
/** How long a worker that drains goes on asking for a claim that may have been made. */
const CLAIM_PATIENCE_MS = 3_000;

/** A run that has begun. */
interface Run {
  readonly ended: Promise<unknown>;
}

/**
 * bee-queue's loop and pop, with our transitions in place of its own: a popped id is claimed by script, and the run
 * settles itself. bee-queue's own save, finish, stall check and delayed jobs are never used.
 */
export class ReliableQueue extends BeeQueue {
  readonly #options: ReliableQueueOptions;
  #pop: PopClient | undefined;
  /** Slots of the loop take turns: at most one pop is on the wire, so that stopping waits for one answer only. */
  #turn: Promise<unknown> = Promise.resolve();
  /** Slots that wait for a job. */
  #waiting = 0;
  /** Claimed for the slots that wait; never more than they are. */
  readonly #claimed: Claim[] = [];
  /** Where to go on looking at parked jobs; undefined when there is no reason to look. */
  #parkedFrom: number | undefined = 0;

  constructor(name: string, options: ReliableQueueOptions) {
    super(name, {
      prefix: `${options.backend.keyPrefix}:q`,
      autoConnect: false,
      isWorker: true,
      ensureScripts: false,
      getEvents: false,
      sendEvents: false,
      storeJobs: false,
      activateDelayedJobs: false,
    });
    this.#options = options;
    const errors = new RepeatedErrors((fields, message) => options.log.warn(fields, message));
    this.on('error', (error) => errors.report(error, 'the pop loop met an error', { queue: name }));
  }

  /** Runs `run` for each claimed job, at most `concurrency` at a time. `run` must settle its claim. */
  consume(concurrency: number, run: (claim: Claim) => Promise<unknown>): void {
    void this.connect();
    this.process(concurrency, (claim) => run(claim as Claim));
  }

  /** Looks at the parked jobs again, with the next free slot: there may be some that this worker can read. */
  lookAtParked(): void {
    this.#parkedFrom ??= 0;
  }

  /** Takes no more jobs; resolves when the last pop has answered and what it brought is given back or runs. */
  async stopPopping(): Promise<void> {
    this.paused = true;
    // While Redis is away the pop waits for it; end() fails it then.
    await Promise.race([this.#turn, delay(POP_SECONDS * 1_000 + PAUSE_MS, undefined, { ref: false })]);
    this.#pop?.end(true);
    await this.#turn;
    while (this.#waiting > 0) await nextLoop();
  }

  /** Resolves when no run is left. */
  async idle(): Promise<void> {
    while (this.activeJobs.size > 0) await Promise.allSettled(this.activeJobs);
  }

  override async makeClient(clientName: string): Promise<unknown> {
    // Commands go over the connection of the backend; only the pop blocks one of its own.
    if (clientName !== 'bclient') return null;
    const { url, tls, log } = this.#options;
    this.#pop = createPopClient(url, redisTls(url, tls, log));
    this.#pop.on('error', (error: Error) => this.emit('error', error));
    return (this.bclient = this.#pop);
  }

  override async _doStalledJobCheck(): Promise<number> {
    return 0;
  }

  /**
   * Begins to run a job and hands the run to bee-queue's loop: what is claimed must run, and the loop drops what it is
   * given after a pause.
   */
  override async _waitForJob(): Promise<Run | null> {
    this.#waiting += 1;
    try {
      for (;;) {
        const claim = this.#claimed.shift();
        if (claim) return { ended: this.#begin(claim) };
        if (this.paused) return null;
        await this.#takeTurn();
      }
    } finally {
      this.#waiting -= 1;
    }
  }

  override _runJob(run: unknown): Promise<unknown> {
    return (run as Run).ended;
  }

  #begin(claim: Claim): Promise<unknown> {
    const ended = this.handler(claim).finally(() => this.activeJobs.delete(ended));
    this.activeJobs.add(ended);
    return ended;
  }

  #takeTurn(): Promise<unknown> {
    this.#turn = this.#turn.then(() => this.#take());
    return this.#turn;
  }

  /** Brings jobs for the slots that wait, unless the turn before has brought enough. */
  async #take(): Promise<void> {
    if (this.paused || this.#claimed.length > 0) return;
    try {
      if (await this.#takeParked()) return;
      const id = await this.#popOne().catch(emptyWhenFull);
      if (id === null) return;
      if (id === '') await delay(PAUSE_MS);
      if (this.paused) await this.#options.backend.release(this.name, id);
      else await this.#claimPopped(id);
    } catch (error) {
      if (this.paused) return;
      this.emit('error', error);
      await delay(PAUSE_MS * (0.5 + Math.random()));
    }
  }

  /** Brings parked jobs, which have waited longer than those that wait; false when there were none. */
  async #takeParked(): Promise<boolean> {
    const from = this.#parkedFrom;
    if (from === undefined) return false;
    // An index that is damaged must not keep the others from being popped.
    this.#parkedFrom = undefined;
    const { backend, leaseMs, readable, log } = this.#options;
    const claimed = await this.#claim('', async (token) => {
      const { claims, next } = await backend.claimParked(this.name, readable, {
        ...{ leaseMs, token, from },
        most: this.#waiting,
      });
      this.#parkedFrom = next;
      return claims;
    });
    if (claimed > 0) log.info({ queue: this.name, jobs: claimed }, 'took parked jobs that this release can read');
    return claimed > 0;
  }

  async #claimPopped(id: string): Promise<void> {
    const more = this.#waiting - (id === '' ? 0 : 1);
    const { backend, leaseMs } = this.#options;
    await this.#claim(id, (token) => backend.claimBatch(this.name, id, { leaseMs, token, more, again: false }));
  }

  /**
   * Claims jobs for the slots that wait, however long Redis takes: the claims may have been made although the answer was
   * lost. Returns how many.
   *
   * @param id that was popped, or ''
   */
  async #claim(id: string, first: (token: string) => Promise<Claim[]>): Promise<number> {
    const { backend, leaseMs, onClaimed } = this.#options;
    const token = randomUUID();
    const again = { leaseMs, token, more: 0, again: true };
    const giveUpAt = performance.now() + CLAIM_PATIENCE_MS;
    for (let asked = false; ; asked = true) {
      try {
        const claims = await (asked ? backend.claimBatch(this.name, id, again) : first(token));
        onClaimed(claims);
        this.#claimed.push(...claims);
        return claims.length;
      } catch (error) {
        if (!isUnavailable(error) || (this.paused && performance.now() > giveUpAt)) throw error;
        await delay(PAUSE_MS * (0.5 + Math.random()));
      }
    }
  }

  #popOne(): Promise<string | null> {
    return new Promise((resolve, reject) => {
      const pop = this.#pop as PopClient;
      const deadline = setInterval(() => pop.stream.destroy(), POP_DEADLINE_MS);
      pop.brpoplpush(this.toKey('waiting'), this.toKey('active'), POP_SECONDS, (error, popped) => {
        clearInterval(deadline);
        // A demoted master keeps its connections; the new one is found by connecting anew.
        if (error?.message.startsWith('READONLY')) pop.stream.destroy();
        if (error) reject(error);
        else resolve(popped);
      });
    });
  }
}

/** A full Redis refuses the pop, which would keep it full for ever; scripts may still move what is there. */
function emptyWhenFull(error: Error): string {
  if (error.message.startsWith('OOM')) return '';
  throw error;
}
