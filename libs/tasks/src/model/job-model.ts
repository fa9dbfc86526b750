import type { Claim, Settlement } from '../queue-backend.ts';

/** What is known of a job. Which of waiting, scheduled, blocked or parked it is while it rests, the audit checks. */
export interface JobModel {
  readonly id: string;
  readonly queue: string;
  readonly lane: string | undefined;
  readonly subject: string;
  state: 'resting' | 'running' | 'completed' | 'dead' | 'cancelled';
  attempt: number;
  /** Since the last settlement. */
  crashes: number;
  /** Since it was accepted or replayed. */
  crashed: number;
  /** Of the attempt that runs. */
  token: string | undefined;
  /** Token and outcome of the last settlement. */
  settledBy: string | undefined;
  /** Whether its lease has run out and nobody has noticed yet. */
  expired: boolean;
  cancelAsked: boolean;
  /** Whether it is to be erased when it ends. */
  eraseAsked: boolean;
  erased: boolean;
}

/** The jobs as they should be: what was accepted, in its order (a replay comes last), and what has become of it. */
export class Model {
  readonly jobs: JobModel[] = [];
  /** Every claim that was ever made: workers may come back late with any of them. */
  readonly claims: Claim[] = [];
  /** Popped and not claimed, by queue. */
  readonly popped: { readonly queue: string; readonly id: string }[] = [];
  readonly keys = new Map<string, { readonly id: string; readonly fingerprint: string }>();

  /** Last slots, by the key of their schedule. */
  readonly schedules = new Map<string, number>();

  job(id: string): JobModel {
    const job = this.jobs.find((one) => one.id === id);
    if (!job) throw new Error(`the engine knows a job that nobody has accepted: ${id}`);
    return job;
  }

  accept(id: string, queue: string, lane: string | undefined, subject: string): void {
    const counts = { attempt: 0, crashes: 0, crashed: 0 };
    const fresh = { state: 'resting', expired: false, cancelAsked: false, eraseAsked: false, erased: false } as const;
    this.jobs.push({ id, queue, lane, subject, ...counts, ...fresh, token: undefined, settledBy: undefined });
  }

  claim(claim: Claim): void {
    const job = this.job(claim.jobId);
    if (job.state !== 'resting') throw new Error(`${job.id} was claimed while it is ${job.state}`);
    const ahead = this.jobs.find((one) => one.lane !== undefined && one.lane === job.lane && !hasEnded(one));
    if (ahead && ahead !== job) throw new Error(`${job.id} was claimed before ${ahead.id}, which is ahead in its lane`);
    Object.assign(job, { state: 'running', token: claim.token, attempt: job.attempt + 1, expired: false });
    this.claims.push(claim);
  }

  /** Ends the attempt that runs. */
  settle(job: JobModel, { state: wanted, outcome, spendsAttempt: spends }: Settlement): void {
    const rests = wanted === 'scheduled' || wanted === 'parked';
    const state = !rests ? wanted : job.cancelAsked || job.eraseAsked ? 'cancelled' : 'resting';
    const attempt = spends ? job.attempt : job.attempt - 1;
    Object.assign(job, {
      state,
      attempt,
      settledBy: `${job.token} ${outcome}`,
      token: undefined,
      expired: false,
      crashes: 0,
      cancelAsked: false,
    });
    if (job.eraseAsked) this.erase(job);
  }

  /** Erases a job that does not run; one that does is to be erased when it ends. Says what that is called. */
  erase(job: JobModel): string {
    if (job.state === 'running') {
      job.eraseAsked = true;
      return 'at-end';
    }
    const action = job.state === 'resting' ? 'cancelled' : job.erased ? 'done-before' : 'erased';
    if (job.state === 'resting') job.state = 'cancelled';
    Object.assign(job, { erased: true, eraseAsked: false });
    // A key stays, or what is sent again would bring back what was erased; any content fits it now.
    for (const [key, { id }] of this.keys) if (id === job.id) this.keys.set(key, { id, fingerprint: '' });
    return action;
  }

  /** Begins a dead letter anew, at the end of its lane. */
  replay(job: JobModel): void {
    Object.assign(job, { state: 'resting', attempt: 0, crashes: 0, crashed: 0 });
    this.jobs.splice(this.jobs.indexOf(job), 1);
    this.jobs.push(job);
  }

  /** Takes back the jobs of a queue whose leases have run out. */
  recover(queue: string, crashLimit: number): void {
    for (const job of this.jobs) {
      if (job.queue !== queue || !job.expired) continue;
      const crashes = job.crashes + 1;
      const state = job.cancelAsked || job.eraseAsked ? 'cancelled' : crashes >= crashLimit ? 'dead' : 'resting';
      const crashed = job.crashed + 1;
      Object.assign(job, { state, crashes, crashed, token: undefined, expired: false, cancelAsked: false });
      if (job.eraseAsked) this.erase(job);
    }
  }
}

/** Whether nothing may happen to a job any more, unless it is replayed. */
export function hasEnded({ state }: JobModel): boolean {
  return state !== 'resting' && state !== 'running';
}
