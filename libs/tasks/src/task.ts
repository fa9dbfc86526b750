import { LONGEST_TIMER_MS } from '@coordinator/config';
import type { Logger } from '@coordinator/logging';
import { z } from 'zod';
import { exponential, type Backoff } from './backoff.ts';
import type { EmitOptions, EventDeclaration } from './event-routing.ts';
import { checkUpcasters, type Upcasters } from './upcaster.ts';

const HOUR_MS = 3_600_000;

/** What an author writes to declare a task. */
export interface TaskDeclaration<Name extends string, Payload> {
  /** Unique in the whole coordinator, `<noun>.<verb>`: `stripe.refund`. */
  readonly name: Name;
  /** Shape of the payload, checked when the job is accepted and again before it runs. JSON only, no transforms. */
  readonly payload: z.ZodType<Payload>;
  /**
   * Version of the payload's shape; raise it when older workers could not read the new one. Default 1.
   * docs/guides/change-a-task.md walks through a change.
   */
  readonly payloadVersion?: number;
  /**
   * How payloads of older versions become this one, by the version that a step begins with:
   * `{ 1: upcast(v1, v2, convert) }`. Jobs of versions before the first step are parked. Default for version 1: none.
   */
  readonly upcasters?: Upcasters;
  /** Queue the task belongs to. Default: the name of its extension. */
  readonly queue?: string;
  /**
   * Attempts in all, the first included, those that ended with their worker left out. Default 20: with the default
   * backoff a horizon of about half a day.
   */
  readonly maxAttempts?: number;
  /** Time from the beginning of the first attempt after which no further one is made. Default 3 days. */
  readonly giveUpAfterMs?: number;
  /** Deadline of one attempt; the handler's signal is aborted then. At most 2 147 483 647, 24 days. Default 30 000. */
  readonly timeoutMs?: number;
  /** Delay between attempts. Default `exponential()`: 1 s doubling to 1 h, full jitter. */
  readonly backoff?: Backoff;
  /** How long an idempotency key is remembered. Default 96 h, the least that covers the retries of payment providers. */
  readonly dedupeMs?: number;
}

/** A declared kind of work. Cheap to import: it holds no handler. */
export type Task<Name extends string = string, Payload = unknown> = Required<
  Omit<TaskDeclaration<Name, Payload>, 'queue'>
> & { readonly queue: string | undefined };

/** The payload type of a task: `PayloadOf<typeof refund>`. */
export type PayloadOf<T> = T extends { readonly payload: z.ZodType<infer Payload> } ? Payload : never;

/** Any task, whatever its payload. */
// The payload of a task is only ever read through PayloadOf, so `any` loses nothing and spares variance casts.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type AnyTask = Task<string, any>;

/** What a handler knows of the job it performs. */
export interface RunningJob {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  /** The business thing the job is about: `order:D-1001`. */
  readonly subject: string | undefined;
  /** When the job was accepted, in milliseconds since 1970 by the clock of Redis. */
  readonly createdAtMs: number;
  readonly parentJobId: string | undefined;
}

/** What a step function is given. */
export interface StepContext {
  /** Stable over all attempts: pass it to the downstream, so that a repeated call has one effect. */
  readonly idempotencyKey: string;
}

/** How jobs are put on the queue. */
export interface EnqueueOptions {
  /** The same key for the same task means the same job. Default: none, each call makes a job. */
  readonly idempotencyKey?: string | undefined;
  /**
   * Whether a known key with another payload is refused, which shows a mistake of the caller, instead of answered with
   * the job of the first call, as for the event ids of providers. Where the key begins with the one that a caller has sent, it
   * is the body of the request that has to be the same. Default true.
   */
  readonly refuseOtherPayload?: boolean;
  /** The business thing the job is about, `<kind>:<id>`. Default in a handler: the subject of the running job. */
  readonly subject?: string | undefined;
  /** Earliest start, in milliseconds from acceptance. Default 0. */
  readonly delayMs?: number;
  /**
   * Jobs with the same lane, of whatever task, run one at a time in the order of acceptance: `refunds:D-1001`. One that
   * is retried or scheduled holds up those behind it; one that is dead or cancelled does not. Default none, any order.
   */
  readonly lane?: string | undefined;
}

/** What a handler works with, besides its payload. */
export interface TaskContext {
  readonly job: RunningJob;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** Aborted at the deadline of the attempt, when its lease is lost, and when the worker must stop. Pass it on. */
  readonly signal: AbortSignal;
  /** Writes lines that carry the job's ids and its trace. */
  readonly log: Logger;
  /**
   * Runs `fn` once per job: its result is check-pointed and replayed on later attempts.
   * The result must be JSON or undefined, of at most 256 KiB, and 1 MiB with those of all steps of the job.
   */
  readonly step: <T>(name: string, fn: (step: StepContext) => Promise<T>) => Promise<T>;
  /** Puts a child job on the queue, in the same write that completes this attempt: never without it, never twice. */
  readonly enqueue: <T extends AnyTask>(task: T, payload: PayloadOf<T>, options?: EnqueueOptions) => void;
  /**
   * Announces an event, in the same write that completes this attempt.
   * @returns how many jobs of other extensions it will start.
   */
  readonly emit: <Data>(event: EventDeclaration<Data>, data: Data, options?: EmitOptions) => number;
}

/** The function that performs a task. It returns when the work is done and throws when it is not. */
export type TaskHandler<T extends AnyTask> = (payload: PayloadOf<T>, context: TaskContext) => Promise<void>;

/** A set of tasks by their local names, usually `import * as tasks`. */
export type TaskSet = Readonly<Record<string, AnyTask>>;

/** A handler for each task of a set: a missing or superfluous one is a compile error. */
export type Handlers<Tasks extends TaskSet> = { readonly [K in keyof Tasks]: TaskHandler<Tasks[K]> };

const NAME = /^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+$/;

/**
 * Declares a task.
 *
 * @throws RangeError when the name or a number of the policy makes no sense, or an upcaster is missing.
 */
export function defineTask<const Name extends string, Payload>(
  declaration: TaskDeclaration<Name, Payload>,
): Task<Name, Payload> {
  const task = {
    payloadVersion: 1,
    upcasters: {},
    queue: undefined,
    maxAttempts: 20,
    giveUpAfterMs: 72 * HOUR_MS,
    timeoutMs: 30_000,
    backoff: exponential(),
    dedupeMs: 96 * HOUR_MS,
    ...declaration,
  };
  if (!NAME.test(task.name)) {
    throw new RangeError(
      `The task name "${task.name}" is not of the form "<noun>.<verb>", for example "stripe.refund"`,
    );
  }
  for (const key of ['payloadVersion', 'maxAttempts', 'giveUpAfterMs', 'timeoutMs', 'dedupeMs'] as const) {
    if (!Number.isSafeInteger(task[key]) || task[key] < 1) {
      throw new RangeError(`${task.name}: ${key} must be a whole number of at least 1`);
    }
  }
  if (task.timeoutMs > LONGEST_TIMER_MS) {
    throw new RangeError(`${task.name}: timeoutMs must be at most ${LONGEST_TIMER_MS}, 24 days`);
  }
  checkUpcasters(task, declaration.upcasters !== undefined);
  return Object.freeze(task);
}
