import type { AuditNote } from './audit-note.ts';
import { CoordinatorError } from './error-codes.ts';
import type { JobRecord, JobState, Receipt } from './job.ts';
import type { Failure } from './outcome.ts';

/** A job on its way into the queue. */
export interface NewJob {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly envelope: string;
  /** JSON. */
  readonly payload: string;
  readonly subject: string | undefined;
  readonly delayMs: number;
  /** Jobs of one lane run one at a time, in the order of acceptance. */
  readonly lane: string | undefined;
  readonly dedupe: Dedupe | undefined;
}

/** The identity of a job towards repeated calls. */
export interface Dedupe {
  /** Scope and key; unique over all tasks. */
  readonly key: string;
  /** Of the content: the same key with another fingerprint is refused; empty when any content is the same. */
  readonly fingerprint: string;
  readonly windowMs: number;
}

/** A running job, held under a lease; only the holder of the token may change it. */
export interface Claim {
  readonly jobId: string;
  readonly queue: string;
  readonly token: string;
  readonly attempt: number;
  /** How many of the attempts before this one ended with their process, the first since a replay: maxAttempts does not count them. */
  readonly crashed: number;
  readonly envelope: string;
  /** JSON. */
  readonly payload: string;
  /** Why the payload, or a result of a step, could not be decrypted; undefined when they could. */
  readonly undecryptable?: CoordinatorError | undefined;
  readonly createdAtMs: number;
  /** When its first attempt began, the first since a replay: its age counts from then. */
  readonly firstStartedAtMs: number;
  readonly dueAtMs: number;
  readonly claimedAtMs: number;
  /** Results of the steps that earlier attempts finished, as JSON, by name. */
  readonly steps: ReadonlyMap<string, string>;
  /** What earlier attempts reported when they settled, or who took their jobs back in their place; newest last. */
  readonly attemptReports: readonly string[];
}

/** The number of an attempt among those that did not end with their process: what happens to others says nothing about a job. */
export function countedAttempt({ attempt, crashed }: Claim): number {
  return attempt - crashed;
}

/** What renews a lease. */
export type Hold = Pick<Claim, 'jobId' | 'token'>;

/** What becomes of a running job. */
export interface Settlement {
  readonly state: Extract<JobState, 'scheduled' | 'parked' | 'completed' | 'dead' | 'cancelled'>;
  /** Name of the outcome or the reason behind it; shown to operators. */
  readonly outcome: string;
  /** Only for `scheduled`. */
  readonly delayMs: number;
  /** Whether this attempt counts towards maxAttempts. */
  readonly spendsAttempt: boolean;
  /** Failure as JSON. */
  readonly error: string | undefined;
  /** Kept for the next attempt, see Claim.attemptReports. */
  readonly attemptReport: string | undefined;
  readonly children: readonly NewJob[];
}

/** `stale`: the lease was lost, or the attempt has ended with another outcome; nothing was written. */
export type SettleResult = 'settled' | 'stale';

/** An attempt that is to stop. */
export interface StopOrder {
  readonly token: string;
  /**
   * `lost`: the lease is gone; `over`: it has run out as far as the worker knows, which cannot ask; else why the job is to
   * be cancelled.
   */
  readonly why: 'lost' | 'over' | Failure;
}

/** What became of the wish to cancel a job: its state before and after; a running job is asked to stop. */
export interface CancelResult {
  readonly before: JobState;
  readonly after: JobState;
}

/** What became of the wish to replay a job: its state before and after. What is no dead letter stays as it is. */
export interface ReplayResult {
  readonly before: JobState;
  readonly after: JobState;
  /**
   * Why a dead letter stays one. `erased`: its subject was erased; `incomplete`: nothing is left to run, because its
   * record could not be read; `changed`: it is not the one that was meant. Undefined when it was replayed.
   */
  readonly refused: 'erased' | 'incomplete' | 'changed' | undefined;
}

/** What became of a job whose lease ran out. */
export interface Recovery {
  readonly jobId: string;
  readonly state: JobState;
  /** As it is stored; '' when there is none. */
  readonly envelope: string;
}

/**
 * Stores jobs and moves them between their states, each transition atomic. Two exist: Redis through bee-queue, and
 * memory for the test harness; one conformance suite runs on both.
 */
export interface QueueBackend {
  /**
   * Writes the jobs, all or none.
   * @throws CoordinatorError COORD_QUEUE_UNAVAILABLE, COORD_QUEUE_FULL, COORD_IDEMPOTENCY_CONFLICT
   */
  enqueue(jobs: readonly NewJob[]): Promise<Receipt[]>;
  /**
   * Takes the lease of a popped job; undefined when the id is only a leftover. Repeated with the same token, because an
   * answer was lost, it returns the claim that was made. Default token: a new one.
   */
  claim(queue: string, jobId: string, leaseMs: number, token?: string): Promise<Claim | undefined>;
  /**
   * Ends an attempt, and lets its lane go on; repeated with the same outcome, because an answer was lost, it says so again.
   * @throws CoordinatorError COORD_IDEMPOTENCY_CONFLICT for a child, nothing is written then
   */
  settle(claim: Claim, settlement: Settlement): Promise<SettleResult>;
  /** Check-points a step; `stale` when the lease was lost. */
  saveStep(claim: Claim, name: string, result: string): Promise<SettleResult>;
  /** Renews leases; tells which attempts are to stop. */
  heartbeat(queue: string, holds: readonly Hold[], leaseMs: number): Promise<StopOrder[]>;
  /**
   * Ends a job that does not run; a running one is told to stop with its next heartbeat. `why` becomes the message of its
   * error. Undefined: no such job.
   */
  cancel(jobId: string, note: AuditNote): Promise<CancelResult | undefined>;
  /**
   * Makes a dead letter waiting, or blocked at the end of its lane, and its attempts begin anew; finished steps stay
   * finished. Undefined: no such job.
   *
   * @param finishedAtMs of the dead letter that is meant: one that was replayed and died again meanwhile stays. Default any
   */
  replay(jobId: string, note: AuditNote, finishedAtMs?: number): Promise<ReplayResult | undefined>;
  /** Makes due jobs waiting; returns how many. */
  promote(queue: string): Promise<number>;
  /** Takes back the jobs whose lease has run out. */
  recover(queue: string, policy: RecoveryPolicy): Promise<Recovery[]>;
  /**
   * Takes the leases of parked jobs that fit a `task@oldest-newest readable payloadVersion` of `known`, those first that
   * were parked first. A lost answer is made up for by claim() with the same token.
   */
  claimParked(queue: string, known: readonly string[], search: ParkedSearch): Promise<ParkedPage>;
  /**
   * Tells the time and the last slot of each schedule, by its key. One that is new starts from now, and so does one that
   * no worker has asked for in FORGET_SCHEDULE_MS in which others did.
   */
  keepSchedules(keys: readonly string[]): Promise<ScheduleReading>;
  /**
   * Moves the last slot of a schedule on and writes the jobs of the slots in between, both or neither; `stale` when its
   * last slot is another by now.
   * @throws CoordinatorError COORD_QUEUE_UNAVAILABLE, COORD_QUEUE_FULL
   */
  fireSchedule(key: string, fromMs: number, toMs: number, jobs: readonly NewJob[]): Promise<Receipt[] | 'stale'>;
  job(jobId: string): Promise<JobRecord | undefined>;
  /**
   * A page of the jobs about a subject, the newest unless told otherwise.
   * @throws CoordinatorError COORD_QUERY_INVALID when `before` is none of them
   */
  jobsOf(subject: string, query?: TimelineQuery): Promise<TimelinePage>;
}

/** How parked jobs are looked for. */
export interface ParkedSearch {
  readonly leaseMs: number;
  /** Most to claim. */
  readonly most: number;
  /** Where to begin: the `next` of the page before. Default: with those that were parked first. */
  readonly from?: number;
  /** Default: a new one. */
  readonly token?: string;
}

/** What was found among the parked jobs. */
export interface ParkedPage {
  readonly claims: Claim[];
  /** Where to go on; undefined when there is no more to look at. */
  readonly next: number | undefined;
}

/** Which jobs about a subject are asked for. */
export interface TimelineQuery {
  /** Only jobs accepted before the one with this id. Default: up to the newest. */
  readonly before?: string | undefined;
  /** Most to read. Default {@link TIMELINE_PAGE}. */
  readonly limit?: number;
}

/** Some jobs about a subject, oldest first. */
export interface TimelinePage {
  /** May be fewer than asked for, although there are more: ended records go before the timeline does. */
  readonly items: readonly JobRecord[];
  /** For {@link TimelineQuery.before}; undefined on the page with the oldest. */
  readonly next: string | undefined;
}

/** See {@link TimelineQuery.limit}. */
export const TIMELINE_PAGE = 1_000;

/** The refusal of a cursor that no answer had, or whose timeline has gone since. */
export function cursorInvalid(): CoordinatorError {
  return new CoordinatorError('COORD_QUERY_INVALID', 'cursor is none of this list: begin again without it');
}

/** Where schedules stand, in milliseconds since 1970 by the clock of the backend. */
export interface ScheduleReading {
  readonly nowMs: number;
  /** In the order in which they were asked for. */
  readonly lastSlotsMs: readonly number[];
}

/** How often it is noted that a schedule is still declared. */
export const KEEP_SCHEDULE_MS = 60_000;
/** Longer than the workers of one release may be away while others run; see QueueBackend.keepSchedules. */
export const FORGET_SCHEDULE_MS = 3_600_000;

/** When a job whose worker died is given up. */
export interface RecoveryPolicy {
  /** A popped id without a claim is left alone for this long. */
  readonly graceMs: number;
  /**
   * Crashes after which the job is dead with the reason `crashed-worker`. After the last but one it is a suspect: it
   * runs when no other suspect does.
   */
  readonly crashLimit: number;
  /**
   * When nobody has called for this long, Redis was away and no lease could be renewed: leases are extended by as much
   * instead of taken back. Default 0, never.
   */
  readonly outageMs?: number;
  /** Kept in place of what the attempts would have reported, see Claim.attemptReports. Default nothing. */
  readonly attemptReport?: string | undefined;
}
