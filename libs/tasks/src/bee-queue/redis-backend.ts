import type { QueueReading } from '@coordinator/tracing';
import { randomUUID } from 'node:crypto';
import { ENVELOPE_VERSION } from '../envelope.ts';
import { CoordinatorError } from '../error-codes.ts';
import type { JobRecord, JobState, Receipt } from '../job.ts';
import { failureOf } from '../outcome.ts';
import type {
  Claim,
  NewJob,
  QueueBackend,
  Recovery,
  RecoveryPolicy,
  SettleResult,
  Settlement,
} from '../queue-backend.ts';
import { PayloadCipher } from '../payload-cipher.ts';
import { EncryptedFields } from './encrypted-fields.ts';
import { readClaim, readRecord } from './job-hash.ts';
import type { RedisConnection } from './redis-connection.ts';
import { scripts, type Script } from './scripts.ts';

/** One hash tag for all keys: in a Redis Cluster they share a slot, and scripts stay atomic. */
export const DEFAULT_KEY_PREFIX = '{cc}';

const PROMOTE_AT_MOST = '500';
const CRASHED = JSON.stringify(failureOf(new CoordinatorError('COORD_CRASHED_WORKER')));

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
  readonly #fields: EncryptedFields;
  /** What bee-queue is to use as `prefix`, so that both speak of the same lists. */
  readonly queuePrefix: string;

  /** @param cipher of payloads, step results and error texts. Default: they are stored in the clear */
  constructor(
    connection: RedisConnection,
    keyPrefix: string = DEFAULT_KEY_PREFIX,
    cipher: PayloadCipher = new PayloadCipher(),
  ) {
    this.#connection = connection;
    this.#fields = new EncryptedFields(cipher);
    this.#root = `${keyPrefix}:`;
    this.queuePrefix = `${keyPrefix}:q`;
  }

  async enqueue(jobs: readonly NewJob[]): Promise<Receipt[]> {
    const reply = (await this.#run(scripts.enqueue, this.#newJobs(jobs))) as (string | number)[];
    refuseConflict(reply, jobs);
    return jobs.map((job, i) => ({
      jobId: reply[i * 3] as string,
      task: job.task,
      state: reply[i * 3 + 2] as JobState,
      duplicate: reply[i * 3 + 1] === 1,
    }));
  }

  async claim(queue: string, jobId: string, leaseMs: number, token?: string): Promise<Claim | undefined> {
    const claims = await this.claimBatch(queue, jobId, { leaseMs, token: token ?? randomUUID(), more: 0, again: true });
    return claims.find((claim) => claim.jobId === jobId);
  }

  /** Takes the lease of a popped job, and of further waiting ones; none when the id is only a leftover. */
  async claimBatch(queue: string, jobId: string, { leaseMs, token, more, again }: ClaimBatch): Promise<Claim[]> {
    const args = [queue, token, String(leaseMs), jobId, String(more), again ? '1' : '0'];
    const [nowMs, ...records] = (await this.#run(scripts.claim, args)) as [number, ...[string, string[]][]];
    return records.map(([id, record]) => this.#fields.decryptClaim(readClaim(id, queue, nowMs, record)));
  }

  async settle(claim: Claim, settlement: Settlement): Promise<SettleResult> {
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
      String(settlement.keepMs),
      ...this.#newJobs(settlement.children),
    ])) as (string | number)[];
    refuseConflict(reply, settlement.children);
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

  async heartbeat(queue: string, claims: readonly Claim[], leaseMs: number): Promise<string[]> {
    const holds = claims.flatMap((claim) => [claim.jobId, claim.token]);
    return (await this.#run(scripts.heartbeat, [queue, String(leaseMs), ...holds])) as string[];
  }

  async promote(queue: string): Promise<number> {
    return (await this.#run(scripts.promote, [queue, PROMOTE_AT_MOST])) as number;
  }

  async recover(queue: string, { graceMs, crashLimit, keepMs, outageMs = 0 }: RecoveryPolicy): Promise<Recovery[]> {
    const args = [queue, String(graceMs), String(crashLimit), CRASHED, String(keepMs), String(outageMs)];
    const reply = (await this.#run(scripts.recover, args)) as string[];
    const recovered: Recovery[] = [];
    for (let i = 0; i < reply.length; i += 2) {
      recovered.push({ jobId: reply[i] as string, state: reply[i + 1] as Recovery['state'] });
    }
    return recovered;
  }

  /** Gives back a popped id that this process will not claim. */
  async release(queue: string, jobId: string): Promise<void> {
    await this.#run(scripts.release, [queue, jobId]);
  }

  async unpark(queue: string, known: readonly string[]): Promise<number> {
    const args = [queue, String(ENVELOPE_VERSION), this.#fields.keyIds.join(','), ...known];
    return (await this.#run(scripts.unpark, args)) as number;
  }

  async job(jobId: string): Promise<JobRecord | undefined> {
    const hash = (await this.#connection.command('HGETALL', `${this.#root}job:${jobId}`)) as string[];
    const record = readRecord(jobId, hash);
    return record && this.#fields.decryptRecord(record);
  }

  async jobsOf(subject: string): Promise<JobRecord[]> {
    const ids = (await this.#connection.command('LRANGE', `${this.#root}subject:${subject}`, '0', '-1')) as string[];
    const records = await Promise.all(ids.map((id) => this.job(id)));
    // Ended records go before the timeline does.
    return records.filter((record) => record !== undefined);
  }

  /** How a queue stands now. */
  async readQueue(queue: string): Promise<QueueReading> {
    const [depth, oldestAgeMs, deadLetters] = (await this.#run(scripts.readQueue, [queue])) as [number, number, number];
    return { queue, depth, oldestAgeMs, deadLetters };
  }

  /** Whether Redis takes writes now and knows no reason to refuse ours. @throws CoordinatorError COORD_QUEUE_UNAVAILABLE */
  async assertWritable(): Promise<void> {
    await this.#connection.command('SET', `${this.#root}probe`, '1', 'PX', '60000');
  }

  #newJobs(jobs: readonly NewJob[]): string[] {
    return jobs.flatMap((job) => newJobArguments(this.#fields.newJob(job)));
  }

  #run(script: Script, args: string[]): Promise<unknown> {
    return this.#connection.run(script, this.#root, args);
  }
}

function newJobArguments(job: NewJob): string[] {
  return [
    job.id,
    job.queue,
    job.envelope,
    job.payload,
    job.subject ?? '',
    String(Math.round(job.delayMs)),
    job.dedupe?.key ?? '',
    job.dedupe?.fingerprint ?? '',
    String(job.dedupe?.windowMs ?? 0),
  ];
}

function refuseConflict(reply: readonly (string | number)[], jobs: readonly NewJob[]): void {
  if (reply[0] !== 'conflict') return;
  const task = jobs[Number(reply[1])]?.task ?? 'a task';
  throw new CoordinatorError(
    'COORD_IDEMPOTENCY_CONFLICT',
    `The idempotency key was used before for ${task} with another content; use a new key for a new request`,
  );
}
