import { acceptRequest, readConfig, Registry, screenRequest, type Extension, type Route } from '@coordinator/extension';
import {
  decodeEnvelope,
  MemoryClock,
  runAttempt,
  ScheduleKeeper,
  TaskQueue,
  type AnyTask,
  type AttemptRuntime,
  type Claim,
  type JobRecord,
  type JobState,
  type Outcome,
  type Receipt,
} from '@coordinator/tasks';
import type { IncomingHttpHeaders } from 'node:http';
import { neverEnding } from './never-ending.ts';
import { RecordingBackend, type EnqueuedJob } from './recording-backend.ts';
import { RecordingLog } from './recording-log.ts';

/** What a harness is made of. */
export interface HarnessOptions {
  readonly extensions: readonly Extension[];
  /** Environment variables of the extensions, such as `fakeDownstream().environment()`. Default: none. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The configuration as readConfig gives it; takes the place of `environment`. Default: read from `environment`. */
  readonly config?: unknown;
  /** Where the clock starts, in milliseconds since 1970. Default: the present. */
  readonly startMs?: number;
  /** Source of jitter, from 0 to 1. Default 1: every delay is the longest that the backoff allows. */
  readonly random?: () => number;
}

/** An attempt that drain() ran. */
export interface HarnessAttempt {
  readonly jobId: string;
  /** Name of the task. */
  readonly task: string;
  readonly attempt: number;
  readonly outcome: Outcome;
  /** By the harness's clock, in milliseconds since 1970. */
  readonly atMs: number;
}

/** How far drain() goes. */
export interface DrainOptions {
  /** Runs what falls due within this time from now, in milliseconds, and leaves the clock there. Default: no limit. */
  readonly untilMs?: number;
  /**
   * Whether schedules fire as time passes, too; slots that the clock was moved past are made up for by their policy.
   * The next slot is waited for only within `untilMs`, because slots never end. Default false, so that a test of
   * something else does not depend on the time of day.
   */
  readonly schedules?: boolean;
  /** Attempts after which drain() gives up. Default 10 000. */
  readonly mostAttempts?: number;
}

/** A job, with what was accepted of it. */
export type HarnessJob = JobRecord & EnqueuedJob;

/** A request to a route, without HTTP. */
export interface AcceptOptions {
  /** Text or bytes are taken as they are, anything else becomes JSON. */
  readonly body: unknown;
  /** Names in any case. Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Name of the caller whose token it would be; for webhooks the extension. Default `test`. */
  readonly caller?: string;
}

const LEASE_MS = 30_000;

/** Extensions with a queue in memory and a clock that stands still until it is moved; see {@link startHarness}. */
export class Harness {
  readonly registry: Registry;
  readonly clock: MemoryClock;
  readonly backend: RecordingBackend;
  /** The way into the queue, as routes have it. */
  readonly queue: TaskQueue;
  /** What attempts and routes have logged: `log.lines`. */
  readonly log: RecordingLog;
  readonly #routes: ReturnType<Registry['routes']>;
  readonly #runtime: AttemptRuntime;
  readonly #keeper: ScheduleKeeper;

  /** Use {@link startHarness}. */
  constructor(
    registry: Registry,
    handlerOf: AttemptRuntime['handlerOf'],
    routes: ReturnType<Registry['routes']>,
    { startMs, random = () => 1 }: Pick<HarnessOptions, 'startMs' | 'random'>,
  ) {
    const { catalog, routeEvent, schedules } = registry;
    this.registry = registry;
    this.clock = new MemoryClock(startMs);
    this.backend = new RecordingBackend(this.clock);
    this.log = new RecordingLog();
    const common = { backend: this.backend, catalog, routeEvent, release: 'test' };
    this.queue = new TaskQueue(common);
    this.#routes = routes;
    this.#keeper = new ScheduleKeeper({ ...common, schedules, log: this.log });
    this.#runtime = { ...common, handlerOf, log: this.log, random };
  }

  /** Every job accepted so far, oldest first. */
  get enqueued(): readonly EnqueuedJob[] {
    return this.backend.enqueued;
  }

  /**
   * Runs every job that is due, moves the clock to the next due time, and repeats until nothing is left to run; days
   * of retries take milliseconds. Parked jobs stay parked.
   *
   * @returns the attempts in the order in which they ran
   * @throws Error that names the job which never ends, after `mostAttempts`
   */
  async drain({ untilMs = Infinity, schedules = false, mostAttempts = 10_000 }: DrainOptions = {}): Promise<
    HarnessAttempt[]
  > {
    const endMs = this.clock.nowMs() + untilMs;
    const attempts: HarnessAttempt[] = [];
    for (;;) {
      if (schedules) await this.#keeper.tick();
      for (let claim = await this.#takeDue(); claim; claim = await this.#takeDue()) {
        attempts.push(await this.#run(claim));
        if (attempts.length >= mostAttempts) throw neverEnding(attempts);
      }
      const nextSlotMs = schedules && endMs < Infinity ? this.#keeper.nextSlotMs(this.clock.nowMs()) : Infinity;
      const nextMs = Math.min(this.backend.nextDueAtMs() ?? Infinity, nextSlotMs);
      // Written so that a due time that is no number ends the drain, too.
      if (!(nextMs <= endMs && nextMs < Infinity)) break;
      this.clock.advance(nextMs - this.clock.nowMs());
    }
    if (endMs < Infinity) this.clock.advance(endMs - this.clock.nowMs());
    return attempts;
  }

  /** All jobs, oldest first. @param where a task, a state, or both. Default: all */
  jobs(where: { readonly task?: AnyTask; readonly state?: JobState } = {}): HarnessJob[] {
    const records = new Map(this.backend.jobs().map((record) => [record.jobId, record]));
    return this.enqueued
      .map((job) => ({ ...(records.get(job.jobId) as JobRecord), ...job }))
      .filter(({ task, state }) => (where.task?.name ?? task) === task && (where.state ?? state) === state);
  }

  /** The jobs about one subject, oldest first: what support reads. */
  timeline(subject: string): HarnessJob[] {
    return this.jobs().filter((job) => job.subject === subject);
  }

  /**
   * Has a route accept a request: signature, body, then its `accept`. Tokens are not looked at: they are HTTP's.
   *
   * @throws CoordinatorError as the route answers, Error for a path that no route has
   */
  async accept(path: string, { body, headers = {}, caller }: AcceptOptions): Promise<Receipt[]> {
    const { extension, route } = this.#routeAt(path);
    const named = route.auth.scheme === 'signature' ? extension : (caller ?? 'test');
    const lowerCase: IncomingHttpHeaders = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
    );
    const idempotencyKey = lowerCase['idempotency-key'] as string | undefined;
    const context = { caller: named, queue: this.queue, idempotencyKey, log: this.log };
    screenRequest(route, lowerCase);
    return acceptRequest(route, { rawBody: bytesOf(body), headers: lowerCase, context });
  }

  #routeAt(path: string): { extension: string; route: Route } {
    const found = this.#routes.find(({ route }) => route.path === path);
    if (found) return found;
    const paths = this.#routes.map(({ route }) => route.path).join(', ');
    throw new Error(`No route has the path "${path}"; the routes are: ${paths || 'none'}`);
  }

  async #takeDue(): Promise<Claim | undefined> {
    for (const queue of this.registry.catalog.queues()) {
      await this.backend.promote(queue);
      const jobId = this.backend.pop(queue);
      const claim = jobId === undefined ? undefined : await this.backend.claim(queue, jobId, LEASE_MS);
      if (claim) return claim;
    }
    return undefined;
  }

  async #run(claim: Claim): Promise<HarnessAttempt> {
    const atMs = this.clock.nowMs();
    const outcome = await runAttempt(claim, this.#runtime, new AbortController());
    return { jobId: claim.jobId, task: decodeEnvelope(claim.envelope).task, attempt: claim.attempt, outcome, atMs };
  }
}

/**
 * Starts extensions with their real routes, tasks, handlers and subscriptions, but a queue in memory and a clock that
 * the test moves. Nothing stays open, so there is nothing to stop.
 *
 * @throws RegistryError, ConfigError
 */
export async function startHarness(options: HarnessOptions): Promise<Harness> {
  const { extensions, environment = {} } = options;
  const registry = new Registry(extensions);
  const schemas = extensions.flatMap(({ config, routeConfig }) => [config, routeConfig]);
  const config = options.config ?? readConfig(schemas, { ...environment });
  const harness = new Harness(registry, await registry.loadHandlers(config), registry.routes(config), options);
  // Schedules start from the first look at them, which is now.
  await harness.drain({ untilMs: 0, schedules: true });
  return harness;
}

function bytesOf(body: unknown): Buffer {
  if (Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}
