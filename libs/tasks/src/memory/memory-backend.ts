import { randomUUID } from 'node:crypto';
import type { AuditNote } from '../audit-note.ts';
import { CoordinatorError } from '../error-codes.ts';
import type { JobRecord, JobState, Receipt, StepRecord } from '../job.ts';
import { failureOf, type Failure } from '../outcome.ts';
import {
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
import { ENVELOPE_VERSION, type Envelope } from '../envelope.ts';
import { isOtherContent } from '../fingerprint.ts';
import type { MemoryClock } from './memory-clock.ts';
import { MemoryLanes } from './memory-lanes.ts';
import { MemorySchedules } from './memory-schedules.ts';

interface MemoryJob {
  record: JobRecord;
  readonly queue: string;
  readonly subject: string | undefined;
  readonly lane: string | undefined;
  payload: string | undefined;
  token: string | undefined;
  /** Token, state and outcome of the last settlement. */
  settledBy: string | undefined;
  leaseEndsAtMs: number;
  /** Since the last settlement. */
  crashes: number;
  crashed: number;
  firstStartedAtMs: number | undefined;
  /** Why a running job is to stop. */
  cancel: Failure | undefined;
  readonly steps: Map<string, StepRecord>;
  readonly attemptReports: Map<number, string>;
}

const ENDED: ReadonlySet<JobState> = new Set(['completed', 'dead', 'cancelled']);

/** Keeps jobs in memory under a clock that the test moves; behaves as Redis does, conformance suite included. */
export class MemoryBackend implements QueueBackend {
  readonly #clock: MemoryClock;
  readonly #schedules: MemorySchedules;
  readonly #jobs = new Map<string, MemoryJob>();
  readonly #waiting = new Map<string, string[]>();
  readonly #lanes = new MemoryLanes<MemoryJob>();
  readonly #suspects = new MemoryLanes<MemoryJob>();
  readonly #keys = new Map<string, { jobId: string; fingerprint: string; endsAtMs: number }>();

  constructor(clock: MemoryClock) {
    this.#clock = clock;
    this.#schedules = new MemorySchedules(clock);
  }

  /** Takes the id that has waited longest, as bee-queue's pop does. */
  pop(queue: string): string | undefined {
    return this.#queue(queue).shift();
  }

  /** When the next scheduled job is due, in any queue; undefined when none is. */
  nextDueAtMs(): number | undefined {
    const due = [...this.#jobs.values()].filter((job) => job.record.state === 'scheduled');
    return due.length === 0 ? undefined : Math.min(...due.map((job) => job.record.dueAtMs));
  }

  /** All jobs ever accepted, in order of acceptance. */
  jobs(): JobRecord[] {
    return Array.from(this.#jobs.values(), (job) => job.record);
  }

  /** The payload of a job, as its handler is given it; undefined once the job has ended without a dead letter. */
  payloadOf(jobId: string): unknown {
    const payload = this.#jobs.get(jobId)?.payload;
    return payload === undefined ? undefined : JSON.parse(payload);
  }

  async enqueue(jobs: readonly NewJob[]): Promise<Receipt[]> {
    return this.#write(jobs);
  }

  async claim(_queue: string, jobId: string, leaseMs: number, token = randomUUID()): Promise<Claim | undefined> {
    const job = this.#jobs.get(jobId);
    if (!job) return undefined;
    if (job.record.state === 'waiting') this.#lease(job, leaseMs, token);
    if (job.record.state !== 'running' || job.token !== token) return undefined;
    return this.#claimOf(job, token);
  }

  async settle(claim: Claim, settlement: Settlement): Promise<SettleResult> {
    const job = this.#held(claim);
    const settledBy = `${claim.token} ${settlement.state} ${settlement.outcome}`;
    if (!job) return this.#jobs.get(claim.jobId)?.settledBy === settledBy ? 'settled' : 'stale';
    this.#write(settlement.children);
    job.token = undefined;
    job.settledBy = settledBy;
    job.crashes = 0;
    if (settlement.attemptReport) job.attemptReports.set(job.record.attempt, settlement.attemptReport);
    const { state, outcome, error } = settlement;
    const failure = error === undefined ? undefined : (JSON.parse(error) as Failure);
    const attempt = job.record.attempt - (settlement.spendsAttempt ? 0 : 1);
    if (state === 'completed' || state === 'dead' || state === 'cancelled') {
      this.#end(job, { state, outcome, attempt, error: failure });
    } else if (job.cancel) {
      this.#end(job, { state: 'cancelled', outcome: 'cancelled', attempt, error: job.cancel });
    } else {
      const due = state === 'scheduled' ? { dueAtMs: this.#clock.nowMs() + settlement.delayMs } : {};
      this.#change(job, { state, outcome, attempt, ...due, ...(failure ? { error: failure } : {}) });
      this.#start(this.#suspects.leave('', job));
    }
    return 'settled';
  }

  async saveStep(claim: Claim, name: string, result: string): Promise<SettleResult> {
    const job = this.#held(claim);
    if (!job) return 'stale';
    job.steps.set(name, { name, finishedAtMs: this.#clock.nowMs(), result });
    this.#change(job, {});
    return 'settled';
  }

  async heartbeat(_queue: string, holds: readonly Hold[], leaseMs: number): Promise<StopOrder[]> {
    return holds.flatMap((hold): StopOrder[] => {
      const job = this.#held(hold);
      if (!job) return [{ token: hold.token, why: 'lost' }];
      job.leaseEndsAtMs = this.#clock.nowMs() + leaseMs;
      return job.cancel ? [{ token: hold.token, why: job.cancel }] : [];
    });
  }

  async cancel(jobId: string, { why }: AuditNote): Promise<CancelResult | undefined> {
    const job = this.#jobs.get(jobId);
    if (!job) return undefined;
    const before = job.record.state;
    const error = failureOf(new CoordinatorError('COORD_CANCELLED', why));
    if (before === 'running') job.cancel = error;
    else if (!ENDED.has(before)) {
      this.#waiting.set(
        job.queue,
        this.#queue(job.queue).filter((id) => id !== jobId),
      );
      this.#end(job, { state: 'cancelled', outcome: 'cancelled', error });
    }
    return { before, after: job.record.state };
  }

  async replay(jobId: string, _note: AuditNote, finishedAtMs?: number): Promise<ReplayResult | undefined> {
    const job = this.#jobs.get(jobId);
    if (!job) return undefined;
    const { state: before, finishedAtMs: endedAtMs } = job.record;
    const changed = finishedAtMs !== undefined && finishedAtMs !== endedAtMs;
    if (before !== 'dead') return { before, after: before, refused: undefined };
    if (changed) return { before, after: before, refused: 'changed' };
    const report = [...job.attemptReports.values()].at(-1);
    job.attemptReports.clear();
    if (report !== undefined) job.attemptReports.set(0, report);
    job.crashes = 0;
    job.crashed = 0;
    job.firstStartedAtMs = undefined;
    const anew = { finishedAtMs: undefined, outcome: undefined, error: undefined, dueAtMs: this.#clock.nowMs() };
    this.#change(job, { state: 'blocked', attempt: 0, ...anew });
    this.#startOrWait(job);
    return { before, after: job.record.state, refused: undefined };
  }

  async promote(queue: string): Promise<number> {
    const due = this.#in(queue, 'scheduled').filter((job) => job.record.dueAtMs <= this.#clock.nowMs());
    due.sort((a, b) => a.record.dueAtMs - b.record.dueAtMs);
    for (const job of due) this.#put(job);
    return due.length;
  }

  async recover(queue: string, policy: RecoveryPolicy): Promise<Recovery[]> {
    const lost = this.#in(queue, 'running').filter((job) => job.leaseEndsAtMs <= this.#clock.nowMs());
    return lost.map((job) => {
      job.token = undefined;
      job.crashes += 1;
      job.crashed += 1;
      if (policy.attemptReport && !job.cancel) job.attemptReports.set(job.record.attempt, policy.attemptReport);
      if (job.cancel) {
        this.#end(job, { state: 'cancelled', outcome: 'cancelled', error: job.cancel });
      } else if (job.crashes >= policy.crashLimit) {
        const error = failureOf(new CoordinatorError('COORD_CRASHED_WORKER'));
        this.#end(job, { state: 'dead', outcome: 'crashed-worker', error });
      } else if (job.crashes < policy.crashLimit - 1 || this.#suspects.join('', job)) {
        this.#put(job, 'unshift');
      } else {
        this.#change(job, { state: 'blocked' });
      }
      const { jobId, state, envelope } = job.record;
      return { jobId, state, envelope };
    });
  }

  async claimParked(
    queue: string,
    known: readonly string[],
    { leaseMs, most, token = randomUUID() }: ParkedSearch,
  ): Promise<ParkedPage> {
    const readable = this.#in(queue, 'parked').filter((job) => {
      const { v, task, payloadVersion } = JSON.parse(job.record.envelope) as Envelope;
      const versions = known.find((entry) => entry.startsWith(`${task}@`))?.slice(task.length + 1) ?? '0-0';
      const [oldest = 0, newest = 0] = versions.split('-').map(Number);
      return v <= ENVELOPE_VERSION && payloadVersion >= oldest && payloadVersion <= newest;
    });
    const claims = readable.slice(0, most).map((job) => {
      this.#lease(job, leaseMs, token);
      return this.#claimOf(job, token);
    });
    return { claims, next: readable.length > most ? 0 : undefined };
  }

  async keepSchedules(keys: readonly string[]): Promise<ScheduleReading> {
    return this.#schedules.keep(keys);
  }

  async fireSchedule(key: string, fromMs: number, toMs: number, jobs: readonly NewJob[]): Promise<Receipt[] | 'stale'> {
    if (this.#schedules.lastSlotMs(key) !== fromMs) return 'stale';
    const receipts = this.#write(jobs);
    this.#schedules.moveOn(key, toMs);
    return receipts;
  }

  async job(jobId: string): Promise<JobRecord | undefined> {
    return this.#jobs.get(jobId)?.record;
  }

  async jobsOf(subject: string, { before, limit = TIMELINE_PAGE }: TimelineQuery = {}): Promise<TimelinePage> {
    const all = [...this.#jobs.values()].filter((job) => job.subject === subject).map((job) => job.record);
    const end = before === undefined ? all.length : all.findIndex(({ jobId }) => jobId === before);
    if (end === -1) throw cursorInvalid();
    const items = all.slice(Math.max(0, end - limit), end);
    return { items, next: end > limit ? items[0]?.jobId : undefined };
  }

  #lease(job: MemoryJob, leaseMs: number, token: string): void {
    job.token = token;
    job.leaseEndsAtMs = this.#clock.nowMs() + leaseMs;
    job.firstStartedAtMs ??= this.#clock.nowMs();
    this.#change(job, { state: 'running', attempt: job.record.attempt + 1 });
  }

  #claimOf(job: MemoryJob, token: string): Claim {
    return {
      jobId: job.record.jobId,
      queue: job.queue,
      token,
      attempt: job.record.attempt,
      crashed: job.crashed,
      envelope: job.record.envelope,
      payload: job.payload ?? '',
      createdAtMs: job.record.createdAtMs,
      firstStartedAtMs: job.firstStartedAtMs ?? this.#clock.nowMs(),
      dueAtMs: job.record.dueAtMs,
      claimedAtMs: this.#clock.nowMs(),
      steps: new Map(Array.from(job.steps.values(), (step) => [step.name, step.result ?? ''])),
      attemptReports: [...job.attemptReports.values()],
    };
  }

  #write(jobs: readonly NewJob[]): Receipt[] {
    const inThisWrite = new Map<string, string>();
    for (const { dedupe, task } of jobs) {
      if (!dedupe) continue;
      const known = this.#holder(dedupe.key)?.fingerprint ?? inThisWrite.get(dedupe.key);
      inThisWrite.set(dedupe.key, dedupe.fingerprint);
      if (known && isOtherContent(known, dedupe.fingerprint)) {
        throw new CoordinatorError('COORD_IDEMPOTENCY_CONFLICT', `${task}: this idempotency key has another content`);
      }
    }
    return jobs.map((job) => {
      const holder = job.dedupe && this.#holder(job.dedupe.key);
      if (holder) {
        const state = this.#jobs.get(holder.jobId)?.record.state ?? 'completed';
        return { jobId: holder.jobId, task: job.task, state, duplicate: true };
      }
      return { jobId: job.id, task: job.task, state: this.#add(job), duplicate: false };
    });
  }

  #add(newJob: NewJob): JobState {
    const now = this.#clock.nowMs();
    const record: JobRecord = {
      jobId: newJob.id,
      state: 'blocked',
      envelope: newJob.envelope,
      attempt: 0,
      createdAtMs: now,
      dueAtMs: now + newJob.delayMs,
      finishedAtMs: undefined,
      outcome: undefined,
      error: undefined,
      steps: [],
    };
    const { queue, subject, lane, payload, dedupe } = newJob;
    const job: MemoryJob = {
      ...{
        record,
        queue,
        subject,
        lane,
        payload,
        leaseEndsAtMs: 0,
        crashes: 0,
        crashed: 0,
        firstStartedAtMs: undefined,
      },
      ...{ token: undefined, settledBy: undefined, cancel: undefined, steps: new Map(), attemptReports: new Map() },
    };
    this.#jobs.set(newJob.id, job);
    if (dedupe) {
      const { fingerprint, windowMs } = dedupe;
      this.#keys.set(dedupe.key, { jobId: newJob.id, fingerprint, endsAtMs: now + windowMs });
    }
    this.#startOrWait(job);
    return job.record.state;
  }

  /** Puts a job on its queue, or at the end of its lane. */
  #startOrWait(job: MemoryJob): void {
    if (job.lane === undefined || this.#lanes.join(job.lane, job)) this.#put(job);
  }

  /** Puts a job on its queue, to run when it is due. */
  #put(job: MemoryJob, how: 'push' | 'unshift' = 'push'): void {
    if (job.record.state !== 'scheduled' && job.record.dueAtMs > this.#clock.nowMs()) {
      this.#change(job, { state: 'scheduled' });
      return;
    }
    this.#change(job, { state: 'waiting' });
    this.#queue(job.queue)[how](job.record.jobId);
  }

  /** Lets the next one of a lane run. */
  #start(next: MemoryJob | undefined): void {
    if (next?.record.state === 'blocked') this.#put(next);
  }

  #end(job: MemoryJob, change: Partial<JobRecord> & { readonly state: JobState }): void {
    if (change.state !== 'dead') {
      job.payload = undefined;
      for (const [name, step] of job.steps) job.steps.set(name, { ...step, result: undefined });
    }
    this.#change(job, { error: undefined, finishedAtMs: this.#clock.nowMs(), ...change });
    this.#start(this.#suspects.leave('', job));
    if (job.lane !== undefined) this.#start(this.#lanes.leave(job.lane, job));
  }

  #change(job: MemoryJob, change: Partial<JobRecord>): void {
    job.record = { ...job.record, ...change, steps: [...job.steps.values()] };
  }

  #held({ jobId, token }: Hold): MemoryJob | undefined {
    const job = this.#jobs.get(jobId);
    return job?.token === token ? job : undefined;
  }

  #holder(key: string) {
    const holder = this.#keys.get(key);
    return holder && holder.endsAtMs > this.#clock.nowMs() ? holder : undefined;
  }

  #in(queue: string, state: JobRecord['state']): MemoryJob[] {
    return [...this.#jobs.values()].filter((job) => job.queue === queue && job.record.state === state);
  }

  #queue(name: string): string[] {
    const ids = this.#waiting.get(name) ?? [];
    this.#waiting.set(name, ids);
    return ids;
  }
}
