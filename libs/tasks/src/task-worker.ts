import { RedisBackend } from './bee-queue/redis-backend.ts';
import { ReliableQueue } from './bee-queue/reliable-queue.ts';
import { isUnavailable } from './error-codes.ts';
import { failureOf } from './outcome.ts';
import type { Claim } from './queue-backend.ts';
import { repeat, type Repetition } from './repeat.ts';
import { runAttempt, type AttemptRuntime } from './run-attempt.ts';
import type { Schedule } from './schedule.ts';
import { ScheduleKeeper } from './schedule-keeper.ts';
import { settleAttempt } from './settle-attempt.ts';
import { Interruption, TaskError } from './task-error.ts';

/** What a TaskWorker needs. */
export interface TaskWorkerOptions extends AttemptRuntime {
  readonly backend: RedisBackend;
  readonly redisUrl: string;
  /** The queues to work on. */
  readonly queues: readonly string[];
  /** Attempts at once, per queue: a downstream that hangs takes the slots of its own queue only. */
  readonly concurrency: number;
  /** A worker that says nothing for this long has lost its jobs to the others. */
  readonly leaseMs: number;
  /** The schedules to keep, whatever the queues of their tasks. Default: none. */
  readonly schedules?: readonly Schedule[];
}

const PROMOTE_EVERY_MS = 250;
const RECOVER_EVERY_MS = 1_000;
// While a release rolls out, old workers park again what new ones have unparked.
const UNPARK_EVERY_MS = 5_000;
/** A handler that is told to stop has this long to do so before the process exits without it. */
const ABORT_GRACE_MS = 1_000;
const TICK_EVERY_MS = 1_000;
const CRASH_LIMIT = 3;

/** Takes jobs from the queues and runs their attempts until it is drained. */
export class TaskWorker {
  readonly #options: TaskWorkerOptions;
  readonly #queues: ReliableQueue[];
  /** By token: after an outage two attempts of one job may run here, of which one has lost its lease. */
  readonly #running = new Map<string, { claim: Claim; abort: AbortController }>();
  #repetitions: Repetition[] = [];

  constructor(options: TaskWorkerOptions) {
    this.#options = options;
    const { redisUrl: url, backend, leaseMs, log } = options;
    this.#queues = options.queues.map((name) => new ReliableQueue(name, { url, backend, leaseMs, log }));
  }

  /** How many attempts are running now. */
  get running(): number {
    return this.#running.size;
  }

  /** Begins to take jobs. Redis may be away: work begins when it comes. */
  start(): void {
    const { queues, leaseMs, concurrency } = this.#options;
    for (const queue of this.#queues) queue.consume(concurrency, (claim) => this.#run(claim));
    const everyQueue = (work: (queue: string) => Promise<unknown>) => () => Promise.all(queues.map(work));
    this.#repeat(
      PROMOTE_EVERY_MS,
      everyQueue((queue) => this.#options.backend.promote(queue)),
    );
    this.#repeat(
      // Well within the time after which a queue counts as not kept.
      Math.min(RECOVER_EVERY_MS, leaseMs / 4),
      everyQueue((queue) => this.#recover(queue)),
    );
    this.#repeat(
      UNPARK_EVERY_MS,
      everyQueue((queue) => this.#unpark(queue)),
    );
    this.#repeat(
      leaseMs / 3,
      everyQueue((queue) => this.#heartbeat(queue)),
    );
    const keeper = new ScheduleKeeper({ ...this.#options, schedules: this.#options.schedules ?? [] });
    this.#repeat(TICK_EVERY_MS, () => keeper.tick());
    void Promise.all(queues.map((queue) => this.#unpark(queue))).catch((error: unknown) => this.#report(error));
  }

  /**
   * Takes no more jobs and waits for the running attempts; those not done after `graceMs` are aborted, and their jobs
   * go back to the queue without spending the attempt.
   */
  async drain(graceMs: number): Promise<void> {
    const idle = Promise.all(this.#queues.map((queue) => queue.stopPopping().then(() => queue.idle())));
    if (!(await endsWithin(idle, graceMs))) {
      for (const { abort } of this.#running.values()) abort.abort(new Interruption());
      if (!(await endsWithin(idle, ABORT_GRACE_MS))) {
        await endsWithin(this.#giveBack(), ABORT_GRACE_MS);
      }
    }
    await Promise.all(this.#repetitions.map((repetition) => repetition.stop()));
  }

  /** Handlers that ignore their signal end with the process; that is no crash of their jobs. */
  async #giveBack(): Promise<void> {
    const left = Array.from(this.#running.values(), ({ claim }) => claim);
    const jobIds = left.map(({ jobId }) => jobId);
    this.#options.log.warn({ jobIds }, 'handlers did not stop in time: their jobs go back to the queue');
    const error = failureOf(new Interruption());
    const outcome = { kind: 'snoozed', delayMs: 0, error } as const;
    await Promise.allSettled(left.map((claim) => settleAttempt(claim, outcome, [], '', this.#options)));
  }

  async #run(claim: Claim): Promise<void> {
    const abort = new AbortController();
    this.#running.set(claim.token, { claim, abort });
    try {
      await runAttempt(claim, this.#options, abort);
    } catch (error) {
      // Its lease runs out, and the job is taken back; the third time it becomes a dead letter.
      this.#options.log.error({ err: error, jobId: claim.jobId }, 'an attempt could not be settled');
    } finally {
      this.#running.delete(claim.token);
    }
  }

  async #heartbeat(queue: string): Promise<void> {
    const running = [...this.#running.values()].filter(({ claim }) => claim.queue === queue);
    if (running.length === 0) return;
    const claims = running.map(({ claim }) => claim);
    for (const token of await this.#options.backend.heartbeat(queue, claims, this.#options.leaseMs)) {
      // An attempt that has just settled has no lease either; it is gone from #running then.
      this.#running.get(token)?.abort.abort(new TaskError('transient', 'COORD_LEASE_LOST'));
    }
  }

  async #recover(queue: string): Promise<void> {
    const { backend, log, leaseMs, retention } = this.#options;
    const graceMs = Math.min(5_000, leaseMs);
    for (const { jobId, state } of await backend.recover(queue, {
      graceMs,
      crashLimit: CRASH_LIMIT,
      outageMs: leaseMs / 2,
      keepMs: retention.deadMs,
    })) {
      log.warn({ jobId, queue, state, code: 'COORD_LEASE_LOST' }, 'took back a job whose worker fell silent');
    }
  }

  async #unpark(queue: string): Promise<void> {
    const moved = await this.#options.backend.unpark(queue, this.#options.catalog.readable(queue));
    if (moved > 0) this.#options.log.info({ queue, moved }, 'parked jobs that this release can read wait again');
  }

  #repeat(intervalMs: number, work: () => Promise<unknown>): void {
    this.#repetitions.push(repeat(intervalMs, work, (error) => this.#report(error)));
  }

  #report(error: unknown): void {
    // The connection has already said that Redis is away.
    if (isUnavailable(error)) return;
    this.#options.log.error({ err: error }, 'keeping the queues failed');
  }
}

async function endsWithin(work: Promise<unknown>, limitMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs);
  });
  try {
    return await Promise.race([work.then(() => true), limit]);
  } finally {
    clearTimeout(timer);
  }
}
