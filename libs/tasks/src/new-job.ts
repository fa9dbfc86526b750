import { randomUUID } from 'node:crypto';
import { injectTraceContext } from '@coordinator/tracing';
import { context, SpanKind, trace, type Span } from '@opentelemetry/api';
import { ENVELOPE_VERSION, type Envelope } from './envelope.ts';
import { CoordinatorError } from './error-codes.ts';
import { fingerprintOf, requestFingerprint } from './fingerprint.ts';
import { jobAttributes } from './job-attributes.ts';
import { validPayload } from './payload.ts';
import type { Dedupe, NewJob } from './queue-backend.ts';
import { storableJson } from './storable-json.ts';
import type { AnyTask, EnqueueOptions } from './task.ts';
import type { TaskCatalog } from './task-catalog.ts';

/** A request for one job, before it is checked. */
export interface JobRequest {
  readonly task: AnyTask;
  readonly payload: unknown;
  readonly options: EnqueueOptions;
  /** See RoutedJob. */
  readonly fault?: string | undefined;
}

/** A request of a caller that may be sent again. */
export interface KeyedRequest {
  /** The key that the caller gave it; those of its jobs begin with it. */
  readonly key: string;
  /** As it was sent. */
  readonly body: Buffer;
}

/** What new jobs have in common. */
export interface JobOrigin {
  readonly catalog: TaskCatalog;
  readonly release: string;
  readonly parentJobId?: string | undefined;
  /** See Envelope. */
  readonly caller?: string | undefined;
  /** Where they come from. */
  readonly request?: KeyedRequest | undefined;
}

/** A job to be written, and its PRODUCER span, which is to be ended when it has been. */
export interface PreparedJob {
  readonly job: NewJob;
  readonly span: Span;
}

/**
 * Checks a request and makes its envelope, with a PRODUCER span that the job's attempts will continue.
 *
 * @throws CoordinatorError COORD_PAYLOAD_INVALID, COORD_PAYLOAD_SECRET, COORD_PAYLOAD_TOO_LARGE, COORD_TASK_UNKNOWN;
 *   RangeError for a delay that is no time, TypeError for a lane, subject or idempotencyKey that is no text
 */
export function prepareJob(request: JobRequest, origin: JobOrigin): PreparedJob {
  const { task, options } = request;
  const { queue } = origin.catalog.get(task.name);
  const valid = request.fault ? request.payload : validPayload(task, request.payload);
  const payload = storableJson(valid, `the payload of ${task.name}`);
  if (payload === undefined)
    throw new CoordinatorError('COORD_PAYLOAD_INVALID', `The payload of ${task.name} is no JSON`);
  const delayMs = validDelay(options.delayMs ?? 0);
  for (const name of ['lane', 'subject', 'idempotencyKey'] as const) refuseOtherThanText(name, options[name]);
  const id = jobId();
  const attributes = jobAttributes('send', queue, task.name, id);
  const span = trace.getTracer('coordinator').startSpan(`send ${queue}`, { kind: SpanKind.PRODUCER, attributes });
  const envelope: Envelope = {
    v: ENVELOPE_VERSION,
    task: task.name,
    payloadVersion: task.payloadVersion,
    release: origin.release,
    trace: injectTraceContext(trace.setSpan(context.active(), span)),
    subject: options.subject,
    parentJobId: origin.parentJobId,
    caller: origin.caller,
    fault: request.fault,
  };
  const job: NewJob = {
    id,
    task: task.name,
    queue,
    envelope: JSON.stringify(envelope),
    payload,
    subject: options.subject,
    delayMs,
    lane: options.lane,
    dedupe: dedupeOf(task, options, payload, delayMs, origin.request),
  };
  return { job, span };
}

function validDelay(delayMs: number): number {
  // From 1e21 on a number is written with an exponent, which Redis refuses half way through the write.
  if (delayMs >= 0 && delayMs <= Number.MAX_SAFE_INTEGER) return delayMs;
  throw new RangeError(
    `A job can be put off by a number of ms from 0 to ${Number.MAX_SAFE_INTEGER}, not by ${delayMs}`,
  );
}

/** Types do not hold everywhere that jobs are enqueued, and Redis takes nothing else. */
function refuseOtherThanText(name: string, value: unknown): void {
  if (value === undefined || typeof value === 'string') return;
  throw new TypeError(`the ${name} of a job is a text or undefined, and not ${value === null ? 'null' : typeof value}`);
}

function dedupeOf(
  task: AnyTask,
  options: EnqueueOptions,
  payload: string,
  delayMs: number,
  request: KeyedRequest | undefined,
): Dedupe | undefined {
  const { idempotencyKey, refuseOtherPayload = true } = options;
  if (idempotencyKey === undefined) return undefined;
  // Two bodies may make the same payload, and are two requests all the same.
  const fromKey = request && idempotencyKey.startsWith(request.key);
  const fingerprint = fromKey ? requestFingerprint(request.body) : fingerprintOf(payload, task.payloadVersion);
  const kept = refuseOtherPayload ? fingerprint : '';
  return { key: `${task.name}:${idempotencyKey}`, fingerprint: kept, windowMs: Math.round(task.dedupeMs + delayMs) };
}

/** A UUID of version 7 (RFC 9562): sorts by time, never numeric, never used again. */
function jobId(): string {
  const time = Date.now().toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}
