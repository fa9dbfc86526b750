import { beforeEach } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { AuditNote } from '../audit-note.ts';
import { ENVELOPE_VERSION } from '../envelope.ts';
import type { JobState } from '../job.ts';
import type { Claim, NewJob, QueueBackend, Settlement } from '../queue-backend.ts';

/** A backend, and what bee-queue and time do to it. */
export interface BackendUnderTest {
  readonly backend: QueueBackend;
  /** Takes the id that has waited longest, as bee-queue's pop does. */
  pop(queue: string): Promise<string | undefined>;
  /** Returns when the clock of the backend has moved on by at least this much. */
  advance(byMs: number): Promise<void>;
  /** The payload that is stored of a job, if any. */
  payloadOf(jobId: string): Promise<string | undefined>;
}

/** A lease, delay or window that is over after `advance(SOON_MS)`. */
export const SHORT_MS = 1;
/** See {@link SHORT_MS}. */
export const SOON_MS = 3;
/** One that no test outlives. */
export const LONG_MS = 3_600_000;
/** Of recover(). */
export const POLICY = { graceMs: LONG_MS, crashLimit: 2 };

/** A fresh backend for each test, and what a worker does with it. */
export class Bench {
  #under: BackendUnderTest | undefined;

  /** Call it inside describe(). */
  constructor(make: () => Promise<BackendUnderTest>) {
    beforeEach(async () => {
      this.#under = await make();
    });
  }

  get backend(): QueueBackend {
    return this.#at.backend;
  }

  pop(queue: string): Promise<string | undefined> {
    return this.#at.pop(queue);
  }

  advance(byMs: number): Promise<void> {
    return this.#at.advance(byMs);
  }

  payloadOf(jobId: string): Promise<string | undefined> {
    return this.#at.payloadOf(jobId);
  }

  /** Pops and claims, as a worker does. */
  async take(queue = 'lms', leaseMs = LONG_MS): Promise<Claim> {
    const claim = await this.backend.claim(queue, (await this.pop(queue)) ?? 'nothing was waiting', leaseMs);
    if (!claim) throw new Error(`nothing to claim in ${queue}`);
    return claim;
  }

  /** Claims the parked job that was parked first, as a worker does that can read `known`. */
  async takeFirstParked(known: readonly string[]): Promise<Claim> {
    const [claim] = await this.takeParked(known, 1);
    if (!claim) throw new Error('nothing is parked');
    return claim;
  }

  /** Claims parked jobs, as a worker does that can read `known`. */
  async takeParked(known: readonly string[], most = 10): Promise<Claim[]> {
    return (await this.backend.claimParked('lms', known, { leaseMs: LONG_MS, most })).claims;
  }

  /** Enqueues one job; returns its id. */
  async accept(overrides: Partial<NewJob> = {}): Promise<string> {
    const [receipt] = await this.backend.enqueue([aJob(overrides)]);
    return receipt?.jobId ?? 'no receipt';
  }

  async stateOf(jobId: string): Promise<JobState | undefined> {
    return (await this.backend.job(jobId))?.state;
  }

  get #at(): BackendUnderTest {
    if (!this.#under) throw new Error('a Bench is for tests');
    return this.#under;
  }
}

/** A job to enqueue. */
export function aJob(overrides: Partial<NewJob> = {}): NewJob {
  const job = { id: randomUUID(), task: 'lms.enrol', queue: 'lms', envelope: envelope(), payload: '{}', delayMs: 0 };
  return { ...job, subject: undefined, lane: undefined, dedupe: undefined, ...overrides };
}

/** Who does something by hand. */
export function aNote(why = 'it is mended'): AuditNote {
  return { by: 'alice', why, requestId: 'r1', release: '1.0.0' };
}

/** An envelope as stored. */
export function envelope({ payloadVersion = 1 } = {}): string {
  return JSON.stringify({ v: ENVELOPE_VERSION, task: 'lms.enrol', payloadVersion, release: '1.0.0', trace: {} });
}

/** The identity of a job under a key. */
export function dedupe(key: string, fingerprint = 'same') {
  return { key: `lms.enrol:${key}`, fingerprint, windowMs: LONG_MS };
}

/** What becomes of a running job. */
export function settlement(state: Settlement['state'], overrides: Partial<Settlement> = {}): Settlement {
  const unset = { error: undefined, attemptReport: undefined, children: [] };
  return { state, outcome: state, delayMs: 0, spendsAttempt: true, ...unset, ...overrides };
}
