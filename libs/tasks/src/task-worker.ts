import { RedisBackend } from './bee-queue/redis-backend.ts';
import type { RedisTlsFiles } from './bee-queue/redis-tls.ts';
import { ReliableQueue } from './bee-queue/reliable-queue.ts';
import { isUnavailable } from './error-codes.ts';
import { Heartbeat } from './heartbeat/heartbeat.ts';
import { classify, failureOf, type Outcome } from './outcome.ts';
import { countedAttempt, type Claim } from './queue-backend.ts';
import { repeat, type Repetition } from './repeat.ts';
import { RepeatedErrors } from './repeated-errors.ts';
import { runAttempt, type AttemptRuntime } from './run-attempt.ts';
import { RunningAttempts, type RunningAttempt } from './running-attempts.ts';
import type { Schedule } from './schedule.ts';
import { ScheduleKeeper } from './schedule-keeper.ts';
import { settleAttempt } from './settle-attempt.ts';
import { takeBack } from './take-back.ts';
import { Interruption, isLeaseLost } from './task-error.ts';

/** What a TaskWorker needs. */
export interface TaskWorkerOptions extends AttemptRuntime {
  readonly backend: RedisBackend;
  readonly redisUrl: string;
  /** For `rediss://`. Default: no certificate is shown, and the server's is of an authority that Node trusts. */
  readonly redisTls?: RedisTlsFiles | undefined;
  /** The queues to work on. */
  readonly queues: readonly string[];
  /** Attempts at once, per queue: a downstream that hangs takes the slots of its own queue only. */
  readonly concurrency: number;
  /** A worker that says nothing for this long has lost its jobs to the others. */
  readonly leaseMs: number;
  /**
   * Called when this process has to be replaced: handlers that ignore their signal hold all slots of a queue, or nobody
   * keeps the leases. Default: it is logged and nothing else.
   */
  readonly onFailure?: (reason: Error) => void;
  /** The schedules to keep, whatever the queues of their tasks. Default: none. */
  readonly schedules?: readonly Schedule[];
}

const PROMOTE_EVERY_MS = 250;
const RECOVER_EVERY_MS = 1_000;
// Jobs are parked while a release rolls out, and a look goes over all that are.
const LOOK_AT_PARKED_EVERY_MS = 5_000;
/** A handler that is told to stop has this long to do so before the process exits without it. */
const ABORT_GRACE_MS = 1_000;
/** By then a drained process has flushed its telemetry and is gone, and with it the handlers that did not stop. */
const EXITED_AFTER_MS = 3_000;
const TICK_EVERY_MS = 1_000;
const CRASH_LIMIT = 3;

/** Takes jobs from the queues and runs their attempts until it is drained. */
export class TaskWorker {
  readonly #options: TaskWorkerOptions;
  readonly #queues: ReliableQueue[];
  readonly #running: RunningAttempts;
  readonly #heartbeat: Heartbeat;
  readonly #errors: RepeatedErrors;
  #repetitions: Repetition[] = [];
  #started: Promise<void> = Promise.resolve();
  #taking = false;
  #draining = false;

  constructor(options: TaskWorkerOptions) {
    this.#options = options;
    const { redisUrl, redisTls: tls, backend, leaseMs, log, release, catalog } = options;
    const { keyPrefix } = backend;
    const readable = catalog.readable();
    const onClaimed = (claims: readonly Claim[]) => this.#heartbeat.claimed(claims);
    this.#queues = options.queues.map(
      (name) => new ReliableQueue(name, { url: redisUrl, tls, backend, leaseMs, readable, log, onClaimed }),
    );
    this.#errors = new RepeatedErrors((fields, message) => log.error(fields, message));
    this.#running = new RunningAttempts(log, (queue, stuck) => this.#onStuck(queue, stuck));
    this.#heartbeat = new Heartbeat({
      ...{ redisUrl, redisTls: tls, keyPrefix, leaseMs, release, log },
      slots: options.queues.length * options.concurrency,
      holds: () => this.#running.holds(),
      onStop: (order) => this.#running.stop(order),
      onFailure: (reason) => this.#fail(reason),
    });
  }

  /** How many attempts are running now. */
  get running(): number {
    return this.#running.size;
  }

  /** Whether it has begun to take jobs. */
  get taking(): boolean {
    return this.#taking;
  }

  /** Begins to take jobs. Redis may be away: work begins when it comes. */
  start(): void {
    this.#started = this.#start().catch((error: unknown) => this.#fail(error as Error));
  }

  async #start(): Promise<void> {
    const { leaseMs, concurrency, backend } = this.#options;
    await this.#heartbeat.start();
    if (this.#draining) return;
    for (const queue of this.#queues) queue.consume(concurrency, (claim) => this.#run(claim));
    this.#keep(PROMOTE_EVERY_MS, (queue) => backend.promote(queue));
    // Well within the time after which a queue counts as not kept.
    this.#keep(Math.min(RECOVER_EVERY_MS, leaseMs / 4), (queue) => this.#recover(queue));
    const keeper = new ScheduleKeeper({ ...this.#options, schedules: this.#options.schedules ?? [] });
    this.#repeat(LOOK_AT_PARKED_EVERY_MS, async () => this.#queues.forEach((queue) => queue.lookAtParked()));
    this.#repeat(TICK_EVERY_MS, () => keeper.tick());
    this.#taking = true;
  }

  /**
   * Takes no more jobs and waits for the running attempts, `graceMs` in all; those not done two seconds before that are
   * aborted, and their jobs go back to the queue without spending the attempt.
   */
  async drain(graceMs: number): Promise<void> {
    this.#draining = true;
    await this.#started;
    const idle = Promise.all(this.#queues.map((queue) => queue.stopPopping().then(() => queue.idle())));
    if (!(await endsWithin(idle, graceMs - 2 * ABORT_GRACE_MS))) {
      this.#running.stopAll(new Interruption());
      if (!(await endsWithin(idle, ABORT_GRACE_MS))) {
        await endsWithin(this.#giveBack(), ABORT_GRACE_MS);
      }
    }
    await Promise.all(this.#repetitions.map((repetition) => repetition.stop()));
    await this.#heartbeat.stop();
  }

  /** Handlers that ignore their signal end with the process; that is no crash of their jobs. */
  async #giveBack(): Promise<void> {
    const left = this.#running.attempts();
    const jobIds = left.map(({ claim }) => claim.jobId);
    this.#options.log.warn({ jobIds }, 'handlers did not stop in time: their jobs go back to the queue');
    const settled = left.map((attempt) =>
      settleAttempt(attempt.claim, this.#outcomeOfLeft(attempt), [], '', this.#options),
    );
    await Promise.allSettled(settled);
  }

  /** An attempt that was told to stop before the process was has failed, and is spent: it would hang for ever else. */
  #outcomeOfLeft({ claim, task: name, abort }: RunningAttempt): Outcome {
    const reason: unknown = abort.signal.reason;
    const task = name === undefined ? undefined : this.#options.catalog.find(name)?.task;
    if (reason instanceof Interruption || isLeaseLost(reason) || !task) {
      return { kind: 'snoozed', delayMs: EXITED_AFTER_MS, error: failureOf(new Interruption()) };
    }
    const facts = { attempt: countedAttempt(claim), ageMs: claim.claimedAtMs - claim.firstStartedAtMs };
    const outcome = classify(reason, task, facts);
    return 'delayMs' in outcome ? { ...outcome, delayMs: Math.max(outcome.delayMs, EXITED_AFTER_MS) } : outcome;
  }

  async #run(claim: Claim): Promise<void> {
    await this.#running.during(claim, async (attempt) => {
      try {
        await runAttempt(claim, this.#options, attempt.abort, (task) => {
          attempt.task = task;
          this.#heartbeat.started(task, claim.jobId);
        });
      } catch (error) {
        // Its lease runs out, and the job is taken back; the third time it becomes a dead letter.
        this.#options.log.error({ err: error, jobId: claim.jobId }, 'an attempt could not be settled');
      }
    });
  }

  #onStuck(queue: string, stuck: number): void {
    if (stuck < this.#options.concurrency) return;
    this.#fail(new Error(`Handlers that ignore their signal hold all ${stuck} slots of the queue ${queue}`));
  }

  #fail(reason: Error): void {
    if (this.#draining) return;
    this.#options.log.fatal({ err: reason }, 'this process has to be replaced');
    this.#options.onFailure?.(reason);
  }

  async #recover(queue: string): Promise<void> {
    const { leaseMs } = this.#options;
    const policy = { graceMs: Math.min(5_000, leaseMs), crashLimit: CRASH_LIMIT, outageMs: leaseMs / 2 };
    await takeBack(queue, policy, this.#options);
  }

  #keep(intervalMs: number, work: (queue: string) => Promise<unknown>): void {
    this.#repeat(intervalMs, () => Promise.all(this.#options.queues.map(work)));
  }

  #repeat(intervalMs: number, work: () => Promise<unknown>): void {
    this.#repetitions.push(repeat(intervalMs, work, (error) => this.#report(error)));
  }

  #report(error: unknown): void {
    // The connection has already said that Redis is away.
    if (isUnavailable(error)) return;
    this.#errors.report(error, 'keeping the queues failed');
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
