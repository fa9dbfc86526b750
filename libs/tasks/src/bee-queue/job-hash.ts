import type { JobRecord, JobState, StepRecord } from '../job.ts';
import { CoordinatorError } from '../error-codes.ts';
import { failureOf, type Failure } from '../outcome.ts';
import type { Claim } from '../queue-backend.ts';

/** Reads what claim.lua answers: the job's hash as a flat list of fields and values. */
export function readClaim(jobId: string, queue: string, nowMs: number, flat: string[]): Claim {
  const hash = toMap(flat);
  return {
    jobId,
    queue,
    token: hash.get('token') ?? '',
    attempt: Number(hash.get('attempt')),
    crashed: crashedOf(hash),
    envelope: hash.get('envelope') ?? '',
    payload: hash.get('payload') ?? '',
    createdAtMs: Number(hash.get('createdAt')),
    firstStartedAtMs: readTime(hash.get('firstStartedAt')) ?? nowMs,
    dueAtMs: Number(hash.get('dueAt')),
    claimedAtMs: nowMs,
    steps: new Map(stepsOf(hash, 'with results').map((step) => [step.name, step.result ?? ''])),
    attemptReports: reportsOf(hash),
  };
}

/** Reads a job's hash; undefined when there is none. */
export function readRecord(jobId: string, flat: string[]): JobRecord | undefined {
  if (flat.length === 0) return undefined;
  const hash = toMap(flat);
  const error = hash.get('error');
  return {
    jobId,
    state: hash.get('state') as JobState,
    envelope: hash.get('envelope') ?? '',
    attempt: Number(hash.get('attempt')),
    createdAtMs: Number(hash.get('createdAt')),
    dueAtMs: Number(hash.get('dueAt')),
    finishedAtMs: readTime(hash.get('finishedAt')),
    outcome: hash.get('outcome'),
    error: error === undefined ? undefined : readFailure(error),
    steps: stepsOf(hash),
  };
}

/** Attempts that ended with their process: releases before this one have counted those since the last settlement only. */
export function crashedOf(hash: Map<string, string>): number {
  const counts = ['crashed', 'crashes'].map((field) => Number(hash.get(field) ?? 0)).filter(Number.isSafeInteger);
  // What is damaged must not give a job tries without end.
  return Math.min(Math.max(0, ...counts), Number(hash.get('attempt')) - 1);
}

/** A time in a hash. */
export function readTime(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

/** A stored failure, or what stands for one that cannot be read. */
export function readFailure(text: string): Failure {
  try {
    return JSON.parse(text) as Failure;
  } catch {
    return failureOf(new CoordinatorError('COORD_ENVELOPE_UNREADABLE'));
  }
}

/** A hash as Redis answers it. */
export function toMap(flat: string[]): Map<string, string> {
  const map = new Map<string, string>();
  for (let i = 0; i < flat.length; i += 2) map.set(flat[i] as string, flat[i + 1] as string);
  return map;
}

/** What stands for the result of a step that cannot be read: no JSON. */
const UNREADABLE = 'unreadable';

/** A step is stored as `<time> <result as JSON>`, and as its time alone once the job has ended. */
function stepsOf(hash: Map<string, string>, results?: 'with results'): StepRecord[] {
  const steps: StepRecord[] = [];
  for (const [field, value] of hash) {
    if (!field.startsWith('step:')) continue;
    const [, time = '0', result = results && UNREADABLE] = /^(\d+)(?: (.*))?$/s.exec(value) ?? ['', '0', UNREADABLE];
    steps.push({ name: field.slice(5), finishedAtMs: Number(time), result: result === '' ? undefined : result });
  }
  return steps.sort((a, b) => a.finishedAtMs - b.finishedAtMs);
}

function reportsOf(hash: Map<string, string>): string[] {
  return Array.from(hash)
    .filter(([field]) => field.startsWith('attempt:'))
    .sort(([a], [b]) => Number(a.slice(8)) - Number(b.slice(8)))
    .map(([, report]) => report);
}
