import type { QueueReading } from '@coordinator/tracing';
import { randomUUID } from 'node:crypto';
import { auditText, noteArguments, type AuditNote } from '../audit-note.ts';
import { ENVELOPE_VERSION } from '../envelope.ts';
import { CoordinatorError } from '../error-codes.ts';
import type { JobRecord, JobState, Receipt } from '../job.ts';
import { failureOf } from '../outcome.ts';
import {
  FORGET_SCHEDULE_MS,
  KEEP_SCHEDULE_MS,
  TIMELINE_PAGE,
  cursorInvalid,
  type CancelResult,
  type Claim,
  type Hold,
  type NewJob,
  type ParkedPage,
  type ParkedSearch,
  type QueueBackend,
  type Recovery,
  type RecoveryPolicy,
  type ReplayResult,
  type ScheduleReading,
  type SettleResult,
  type Settlement,
  type StopOrder,
  type TimelinePage,
  type TimelineQuery,
} from '../queue-backend.ts';
import { PayloadCipher } from '../payload-cipher.ts';
import { defaultRetention, type Retention } from '../retention.ts';
import { Keyspace } from '../audit/keyspace.ts';
import { readBooks, type QueueBooks } from '../audit/queue-books.ts';
import { readDeadLetters, type DeadLetterPage, type DeadLetterQuery } from './dead-letters.ts';
import { EncryptedFields } from './encrypted-fields.ts';
import { readDetails, type JobDetails } from './job-details.ts';
import { readClaim, readFailure, readRecord } from './job-hash.ts';
import { readJobsIn, type StatePage, type StateQuery } from './jobs-in-state.ts';
import { MemoryWatch } from './memory-watch.ts';
import { pairs } from './pairs.ts';
import type { RedisConnection } from './redis-connection.ts';
import { scripts, type Script } from './scripts.ts';

/** One hash tag for all keys: in a Redis Cluster they share a slot, and scripts stay atomic. */
export const DEFAULT_KEY_PREFIX = '{cc}';

/** Most jobs that one call of a script moves: Redis serves nobody else meanwhile. */
const AT_ONCE = 500;
/** So that work that comes as fast as it is moved does not keep a caller for ever. */
const MOST_ROUNDS = 20;
const CRASHED = JSON.stringify(failureOf(new CoordinatorError('COORD_CRASHED_WORKER')));
const UNREADABLE = JSON.stringify(failureOf(new CoordinatorError('COORD_ENVELOPE_UNREADABLE')));

/** Settings of a RedisBackend. */
export interface RedisBackendOptions {
  /** Default {@link DEFAULT_KEY_PREFIX}. */
  readonly keyPrefix?: string;
  /** Most jobs that may wait in one queue; further ones are refused with COORD_QUEUE_FULL. Default 200 000. */
  readonly maxDepth?: number;
  /** Default {@link defaultRetention}. */
  readonly retention?: Retention;
  /** Of payloads, step results and error texts. Default: they are stored in the clear. */
  readonly cipher?: PayloadCipher;
}

/** How jobs are claimed. */
export interface ClaimBatch {
  readonly leaseMs: number;
  /** The same for a repetition, whose claims it then returns as well. */
  readonly token: string;
  /** How many waiting jobs to take along, at most. */
  readonly more: number;
  /** Whether the call is repeated because an answer was lost. */
  readonly again: boolean;
}

/** Stores jobs in Redis: records as hashes, indexes where bee-queue expects them. Every transition is one script. */
export class RedisBackend implements QueueBackend {
  readonly #connection: RedisConnection;
  readonly #root: string;
  readonly #maxDepth: string;
  readonly #memory: MemoryWatch;
  readonly #fields: EncryptedFields;
  /** What its keys begin with. */
  readonly keyPrefix: string;
  /** How long what has ended stays. */
  readonly retention: Retention;

  constructor(connection: RedisConnection, options: RedisBackendOptions = {}) {
    const { keyPrefix = DEFAULT_KEY_PREFIX, maxDepth = 200_000, retention = defaultRetention } = options;
    this.#connection = connection;
    this.#root = `${keyPrefix}:`;
    this.#fields = new EncryptedFields(options.cipher ?? new PayloadCipher());
    this.#maxDepth = String(maxDepth);
    this.retention = retention;
    this.#memory = new MemoryWatch(() => connection.command('INFO', 'memory') as Promise<string>);
    this.keyPrefix = keyPrefix;
  }

  async enqueue(jobs: readonly NewJob[]): Promise<Receipt[]> {
    this.#refuseNearlyFull();
    const args = [this.#maxDepth, ...this.#newJobs(jobs)];
    const reply = await this.#connection.confirmed(() => this.#run(scripts.enqueue, args)).catch(refuseDamaged);
    return readReceipts(reply as (string | number)[], jobs);
  }

  async claim(queue: string, jobId: string, leaseMs: number, token?: string): Promise<Claim | undefined> {
    const claims = await this.claimBatch(queue, jobId, { leaseMs, token: token ?? randomUUID(), more: 0, again: true });
    return claims.find((claim) => claim.jobId === jobId);
  }

  /**
   * Takes the lease of a popped job, and of further waiting ones; none when the id is only a leftover. With '' for the
   * id it takes waiting ones only, which works when a full Redis refuses the pop.
   */
  async claimBatch(queue: string, jobId: string, { leaseMs, token, more, again }: ClaimBatch): Promise<Claim[]> {
    const args = [queue, token, String(leaseMs), jobId, String(more), again ? '1' : '0', ...this.#unreadable()];
    const [nowMs, ...records] = (await this.#run(scripts.claim, args)) as [number, ...[string, string[]][]];
    return this.#claims(queue, nowMs, records);
  }

  async settle(claim: Claim, settlement: Settlement): Promise<SettleResult> {
    const keepMs = settlement.state === 'dead' ? this.retention.deadMs : this.retention.completedMs;
    const reply = (await this.#run(scripts.settle, [
      claim.queue,
      claim.jobId,
      claim.token,
      settlement.state,
      settlement.outcome,
      String(Math.round(settlement.delayMs)),
      settlement.spendsAttempt ? '1' : '0',
      this.#fields.error(claim.jobId, settlement.error ?? ''),
      settlement.attemptReport ?? '',
      String(keepMs),
      ...this.#newJobs(settlement.children),
    ])) as (string | number)[];
    refuse(reply, settlement.children);
    return reply[0] as SettleResult;
  }

  async saveStep(claim: Claim, name: string, result: string): Promise<SettleResult> {
    const saved = await this.#run(scripts.saveStep, [
      claim.jobId,
      claim.token,
      name,
      this.#fields.stepResult(claim.jobId, name, result),
    ]);
    return saved === 1 ? 'settled' : 'stale';
  }

  async heartbeat(queue: string, holds: readonly Hold[], leaseMs: number): Promise<StopOrder[]> {
    const args = holds.flatMap(({ jobId, token }) => [jobId, token]);
    const reply = (await this.#run(scripts.heartbeat, [queue, String(leaseMs), ...args])) as string[];
    return pairs(reply).map(([token, why]) => ({ token, why: why === 'lost' ? why : readFailure(why) }));
  }

  async cancel(jobId: string, note: AuditNote): Promise<CancelResult | undefined> {
    const failure = JSON.stringify(failureOf(new CoordinatorError('COORD_CANCELLED', auditText(note.why))));
    const args = [jobId, failure, String(this.retention.completedMs), ...noteArguments(note)];
    const [before, after] = (await this.#run(scripts.cancel, args)) as JobState[];
    return before && after && { before, after };
  }

  async replay(jobId: string, note: AuditNote, finishedAtMs?: number): Promise<ReplayResult | undefined> {
    const args = [jobId, String(finishedAtMs ?? ''), ...noteArguments(note)];
    const reply = (await this.#run(scripts.replay, args)) as string[];
    const [before, after, refused] = reply as [JobState, JobState, NonNullable<ReplayResult['refused']> | ''];
    return before && { before, after, refused: refused === '' ? undefined : refused };
  }

  async promote(queue: string): Promise<number> {
    let moved = 0;
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const movedNow = (await this.#run(scripts.promote, [queue, String(AT_ONCE), ...this.#unreadable()])) as number;
      moved += movedNow;
      if (movedNow < AT_ONCE) break;
    }
    return moved;
  }

  async recover(queue: string, policy: RecoveryPolicy): Promise<Recovery[]> {
    const { graceMs, crashLimit, outageMs = 0, attemptReport = '' } = policy;
    const numbers = [String(graceMs), String(crashLimit)];
    const [unreadable, keepMs] = this.#unreadable();
    const limits = [keepMs, String(outageMs), String(AT_ONCE)];
    const args = [queue, ...numbers, CRASHED, ...limits, unreadable, attemptReport];
    const reply = (await this.#run(scripts.recover, args)) as string[];
    return Array.from({ length: reply.length / 3 }, (_, i) => ({
      jobId: reply[3 * i] as string,
      state: reply[3 * i + 1] as JobState,
      envelope: reply[3 * i + 2] as string,
    }));
  }

  /** Gives back a popped id that this process will not claim. */
  async release(queue: string, jobId: string): Promise<void> {
    await this.#run(scripts.release, [queue, jobId]);
  }

  async claimParked(
    queue: string,
    known: readonly string[],
    { leaseMs, most, from = 0, token = randomUUID() }: ParkedSearch,
  ): Promise<ParkedPage> {
    const page = [String(from), String(most), String(AT_ONCE), ...this.#unreadable()];
    const readable = [String(ENVELOPE_VERSION), this.#fields.keyIds.join(','), ...known];
    const reply = await this.#run(scripts.claimParked, [queue, token, String(leaseMs), ...page, ...readable]);
    const [nowMs, next, ...records] = reply as [number, number, ...[string, string[]][]];
    return { claims: this.#claims(queue, nowMs, records), next: next < 0 ? undefined : next };
  }

  async keepSchedules(keys: readonly string[]): Promise<ScheduleReading> {
    const args = [String(KEEP_SCHEDULE_MS), String(FORGET_SCHEDULE_MS), ...keys];
    const [nowMs, ...lastSlotsMs] = (await this.#run(scripts.keepSchedules, args)) as [number, ...number[]];
    return { nowMs, lastSlotsMs };
  }

  async fireSchedule(key: string, fromMs: number, toMs: number, jobs: readonly NewJob[]): Promise<Receipt[] | 'stale'> {
    this.#refuseNearlyFull();
    const args = [key, String(fromMs), String(toMs), this.#maxDepth, ...this.#newJobs(jobs)];
    const reply = (await this.#run(scripts.fireSchedule, args)) as (string | number)[];
    return reply[0] === 'stale' ? 'stale' : readReceipts(reply, jobs);
  }

  async job(jobId: string): Promise<JobRecord | undefined> {
    const read = this.#connection.command('HGETALL', `${this.#root}job:${jobId}`) as Promise<string[]>;
    // What stands there may be no record; that must not hide the timeline it is on.
    const record = readRecord(jobId, await read.catch(noneIfOfAnotherType));
    return record && this.#fields.decryptRecord(record);
  }

  async jobsOf(subject: string, { before, limit = TIMELINE_PAGE }: TimelineQuery = {}): Promise<TimelinePage> {
    const timeline = `${this.#root}subject:${subject}`;
    let range = [`-${limit + 1}`, '-1'];
    if (before !== undefined) {
      const place = (await this.#connection.command('LPOS', timeline, before)) as number | null;
      if (place === null) throw cursorInvalid();
      if (place === 0) return { items: [], next: undefined };
      range = [String(Math.max(0, place - limit - 1)), String(place - 1)];
    }
    // One more than asked for, to know whether there are more.
    const found = (await this.#connection.command('LRANGE', timeline, ...range)) as string[];
    const ids = found.slice(-limit);
    const records = await Promise.all(ids.map((id) => this.job(id)));
    return {
      items: records.filter((record) => record !== undefined),
      next: found.length > limit ? ids[0] : undefined,
    };
  }

  /** Some dead letters. Ask for the next page with the `next` of this one. */
  deadLetters(query: DeadLetterQuery): Promise<DeadLetterPage> {
    return readDeadLetters(this.#connection, this.#root, query, (jobId) => this.job(jobId));
  }

  /** Some jobs of a queue that are in one state. Those that move meanwhile come twice or not at all. */
  jobsIn(query: StateQuery): Promise<StatePage> {
    return readJobsIn(this.#connection, this.#root, query, (jobId) => this.job(jobId));
  }

  /** All that is known of a job; undefined when there is none. */
  async jobDetails(jobId: string): Promise<JobDetails | undefined> {
    const read = this.#connection.command('HGETALL', `${this.#root}job:${jobId}`) as Promise<string[]>;
    const details = readDetails(jobId, await read.catch(noneIfOfAnotherType));
    return details && this.#fields.decryptDetails(details);
  }

  /** How a queue stands now. */
  async readQueue(queue: string): Promise<QueueReading> {
    const [depth = 0, oldestAgeMs = 0, parked = 0, deadLetters = 0] = (await this.#run(scripts.readQueue, [
      queue,
    ])) as number[];
    return { queue, depth, oldestAgeMs, parked, deadLetters };
  }

  /** Where the accepted jobs of a queue are, at one moment. @throws CoordinatorError COORD_QUEUE_UNAVAILABLE */
  books(queue: string): Promise<QueueBooks> {
    return readBooks(new Keyspace(this.#connection, this.keyPrefix), queue);
  }

  /** Whether Redis takes writes now and knows no reason to refuse ours. @throws CoordinatorError COORD_QUEUE_UNAVAILABLE */
  async assertWritable(): Promise<void> {
    await this.#connection.confirmed(() => this.#connection.command('SET', `${this.#root}probe`, '1', 'PX', '60000'));
  }

  #refuseNearlyFull(): void {
    if (!this.#memory.isFull()) return;
    const message = 'Redis is nearly full: jobs are accepted again when some have ended';
    throw new CoordinatorError('COORD_QUEUE_FULL', message);
  }

  #claims(queue: string, nowMs: number, records: readonly [id: string, record: string[]][]): Claim[] {
    return records.map(([id, record]) => this.#fields.decryptClaim(readClaim(id, queue, nowMs, record)));
  }

  #newJobs(jobs: readonly NewJob[]): string[] {
    return jobs.flatMap((job) => newJobArguments(this.#fields.newJob(job)));
  }

  #run(script: Script, args: string[]): Promise<unknown> {
    return this.#connection.run(script, this.#root, args);
  }

  /** What a script needs to make a dead letter of a record that is none. */
  #unreadable(): [error: string, keepMs: string] {
    return [UNREADABLE, String(this.retention.deadMs)];
  }
}

function noneIfOfAnotherType(error: unknown): string[] {
  if (error instanceof Error && error.message.startsWith('WRONGTYPE')) return [];
  throw error;
}

/** The script looks at the indexes of a queue before it writes. */
function refuseDamaged(error: unknown): never {
  const damaged = error instanceof Error && error.message.startsWith('WRONGTYPE');
  throw damaged ? new CoordinatorError('COORD_INDEX_DAMAGED', undefined, { cause: error }) : error;
}

function newJobArguments(job: NewJob): string[] {
  return [
    job.id,
    job.queue,
    job.envelope,
    job.payload,
    job.subject ?? '',
    String(Math.round(job.delayMs)),
    job.lane ?? '',
    job.dedupe?.key ?? '',
    job.dedupe?.fingerprint ?? '',
    String(job.dedupe?.windowMs ?? 0),
  ];
}

function readReceipts(reply: readonly (string | number)[], jobs: readonly NewJob[]): Receipt[] {
  refuse(reply, jobs);
  return jobs.map((job, i) => ({
    jobId: reply[i * 3] as string,
    task: job.task,
    state: reply[i * 3 + 2] as JobState,
    duplicate: reply[i * 3 + 1] === 1,
  }));
}

/** Throws when a script has refused to write the jobs. */
function refuse(reply: readonly (string | number)[], jobs: readonly NewJob[]): void {
  const job = jobs[Number(reply[1])];
  if (reply[0] === 'full') {
    throw new CoordinatorError('COORD_QUEUE_FULL', `The queue ${job?.queue} is full: too many jobs wait in it`);
  }
  if (reply[0] === 'damaged') throw new CoordinatorError('COORD_INDEX_DAMAGED');
  if (reply[0] !== 'conflict') return;
  throw new CoordinatorError(
    'COORD_IDEMPOTENCY_CONFLICT',
    `The idempotency key was used before for ${job?.task} with another content; use a new key for a new request`,
  );
}
