import fc from 'fast-check';
import { CoordinatorError } from '../error-codes.ts';
import type { NewJob } from '../queue-backend.ts';
import { LONG_MS, QUEUES, SUBJECTS } from './engine.ts';
import type { Model } from './job-model.ts';

/** A job to be made. */
export interface JobWish {
  readonly queue: string;
  readonly lane: string | undefined;
  readonly key: string | undefined;
  readonly fingerprint: string;
  readonly delayMs: number;
  readonly subject: string;
}

export const wishes: fc.Arbitrary<JobWish> = fc.record({
  queue: fc.constantFrom(...QUEUES),
  lane: fc.constantFrom(undefined, 'one', 'two'),
  key: fc.constantFrom(undefined, undefined, 'k1', 'k2', 'k3', 'k4'),
  fingerprint: fc.constantFrom('same', 'same', 'other'),
  delayMs: fc.constantFrom(0, 0, LONG_MS),
  subject: fc.constantFrom(...SUBJECTS),
});

const ENVELOPE = { v: 1, task: 'lms.enrol', payloadVersion: 1, release: '1.0.0', trace: {} };

export function newJob({ queue, lane, key, fingerprint, delayMs, subject }: JobWish, id: string): NewJob {
  const dedupe = key === undefined ? undefined : { key, fingerprint, windowMs: LONG_MS };
  const envelope = JSON.stringify({ ...ENVELOPE, subject });
  return { id, task: 'lms.enrol', queue, envelope, payload: '{}', subject, delayMs, lane, dedupe };
}

/** What writing the jobs must answer, and does to the model; undefined, and nothing, when a key is held by another content. */
export function writes(model: Model, jobs: readonly NewJob[]): { id: string; duplicate: boolean }[] | undefined {
  const keys = new Map(model.keys);
  const written = jobs.map(({ id, dedupe }) => {
    const holder = dedupe && keys.get(dedupe.key);
    if (dedupe && !holder) keys.set(dedupe.key, { id, fingerprint: dedupe.fingerprint });
    const conflict = !['', undefined, dedupe?.fingerprint].includes(holder?.fingerprint);
    return { id: holder?.id ?? id, duplicate: holder !== undefined, conflict };
  });
  if (written.some(({ conflict }) => conflict)) return undefined;
  for (const [key, holder] of keys) model.keys.set(key, holder);
  for (const [i, { id, queue, lane, subject = '' }] of jobs.entries()) {
    if (!written[i]?.duplicate) model.accept(id, queue, lane, subject);
  }
  return written.map(({ id, duplicate }) => ({ id, duplicate }));
}

/** Undefined for a refused key; throws everything else. */
export function isConflict(error: unknown): undefined {
  if (error instanceof CoordinatorError && error.code === 'COORD_IDEMPOTENCY_CONFLICT') return undefined;
  throw error;
}
