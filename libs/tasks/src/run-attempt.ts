import { hidingValues, maskText, personalValues, type Logger } from '@coordinator/logging';
import { ATTR, extractTraceContext, injectTraceContext, inSpan, linkTo, markFailed } from '@coordinator/tracing';
import { SpanKind, type Span } from '@opentelemetry/api';
import { AttemptContext } from './attempt-context.ts';
import { asAttempt } from './current-attempt.ts';
import { reportAttempt } from './attempt-report.ts';
import { decodeEnvelope, type Envelope } from './envelope.ts';
import { CoordinatorError } from './error-codes.ts';
import type { EventRouting } from './event-routing.ts';
import { jobAttributes } from './job-attributes.ts';
import { validPayload } from './payload.ts';
import { classify, failureOf, type Outcome, type ParkReason } from './outcome.ts';
import { KeyUnknown } from './payload-cipher.ts';
import { countedAttempt, type Claim, type NewJob, type QueueBackend } from './queue-backend.ts';
import { settleAttempt, type Settled } from './settle-attempt.ts';
import type { AnyTask, TaskHandler } from './task.ts';
import type { InstalledTask, TaskCatalog } from './task-catalog.ts';
import { Interruption, isLeaseLost, TaskError } from './task-error.ts';
import { oldestReadable, schemaOf, upcastPayload } from './upcaster.ts';

/** What attempts of a process have in common. */
export interface AttemptRuntime {
  readonly backend: QueueBackend;
  readonly catalog: TaskCatalog;
  /** The handler of an installed task. */
  readonly handlerOf: (taskName: string) => TaskHandler<AnyTask>;
  readonly routeEvent: EventRouting;
  readonly release: string;
  readonly log: Logger;
  /** Source of jitter. Default Math.random. */
  readonly random?: () => number;
}

/** Why a handler's signal was aborted by its deadline. */
const timedOut = (task: AnyTask) =>
  new TaskError('unknown-outcome', 'COORD_ATTEMPT_TIMEOUT', `The attempt did not end within ${task.timeoutMs} ms`);

/**
 * Runs one attempt of a claimed job, from the stored text to the settled outcome. `onStart` hears the name of the task
 * before its handler runs.
 *
 * @throws only when it cannot be settled
 */
export async function runAttempt(
  claim: Claim,
  runtime: AttemptRuntime,
  abort: AbortController,
  onStart: (task: string) => void = () => undefined,
): Promise<Outcome> {
  const resolved = resolve(claim, runtime.catalog);
  if ('outcome' in resolved) {
    const settled = await settleAttempt(claim, resolved.outcome, [], '', runtime);
    reportAttempt(claim, resolved.envelope, settled, [], 0, runtime.log);
    return settled.outcome;
  }

  const { envelope, task } = resolved;
  const spanOptions = {
    kind: SpanKind.CONSUMER,
    parent: extractTraceContext(envelope.trace),
    links: [linkTo({ traceparent: claim.attemptReports.at(-1) })],
    attributes: {
      ...jobAttributes('process', claim.queue, task.name, claim.jobId),
      [ATTR.attempt]: claim.attempt,
      [ATTR.envelopeRelease]: envelope.release,
      ...(envelope.subject === undefined ? {} : { [ATTR.subject]: maskText(envelope.subject) }),
    },
  };
  return inSpan(`process ${task.name}`, spanOptions, async (span) => {
    const startedAt = performance.now();
    onStart(task.name);
    const { outcome, children } = await perform(claim, resolved, runtime, abort);
    const settled = await settleAttempt(claim, outcome, children, injectTraceContext().traceparent ?? '', runtime);
    markSpan(span, settled);
    reportAttempt(claim, envelope, settled, children, performance.now() - startedAt, runtime.log);
    return settled.outcome;
  });
}

type ReadableJob = InstalledTask & { readonly envelope: Envelope; readonly payload: unknown };
type UnreadableJob = { readonly outcome: Outcome; readonly envelope?: Envelope };

/** Decode and find the task; an outcome when this worker cannot run the job. */
function resolve(claim: Claim, catalog: TaskCatalog): ReadableJob | UnreadableJob {
  try {
    const envelope = decodeEnvelope(claim.envelope);
    const installed = catalog.find(envelope.task);
    if (!installed) return { envelope, outcome: { kind: 'parked', reason: 'task-unknown' } };
    const unreadable = unreadableVersion(envelope, installed.task);
    if (unreadable) return { envelope, outcome: { kind: 'parked', reason: unreadable } };
    if (claim.undecryptable instanceof KeyUnknown) {
      return { envelope, outcome: { kind: 'parked', reason: `key-unknown:${claim.undecryptable.keyId}` } };
    }
    if (claim.undecryptable) throw claim.undecryptable;
    return { ...installed, envelope, payload: parsePayload(claim.payload) };
  } catch (error) {
    const failure = failureOf(error);
    if (failure.code === 'COORD_ENVELOPE_VERSION_UNKNOWN') {
      return { outcome: { kind: 'parked', reason: 'envelope-version-unknown' } };
    }
    return { outcome: { kind: 'dead', reason: 'unreadable', error: failure } };
  }
}

function unreadableVersion({ payloadVersion }: Envelope, task: AnyTask): ParkReason | undefined {
  if (payloadVersion === task.payloadVersion) return undefined;
  if (payloadVersion > task.payloadVersion) return 'payload-version-unknown';
  return payloadVersion < oldestReadable(task) ? 'payload-version-too-old' : undefined;
}

function parsePayload(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message may quote the payload.
    throw new CoordinatorError('COORD_ENVELOPE_UNREADABLE');
  }
}

/** Validate, run under the deadline, classify. */
async function perform(
  claim: Claim,
  { envelope, task, payload: stored }: ReadableJob,
  runtime: AttemptRuntime,
  abort: AbortController,
): Promise<{ outcome: Outcome; children: readonly NewJob[] }> {
  const deadline = setTimeout(() => abort.abort(timedOut(task)), task.timeoutMs);
  const { jobId, attempt } = claim;
  const { backend, routeEvent } = runtime;
  const log = runtime.log.child({ jobId, task: task.name, attempt, subject: envelope.subject });
  const context = new AttemptContext({
    claim,
    envelope,
    backend,
    origin: runtime,
    routeEvent,
    log,
    signal: abort.signal,
  });
  // What the author has marked as personal data is in no log line of the attempt, and in no message of its end.
  const personal = () => personalValues(schemaOf(task, envelope.payloadVersion), stored);
  const hiding = <T>(run: () => T): T => hidingValues(personal, run);
  try {
    if (envelope.fault !== undefined) throw new CoordinatorError('COORD_PAYLOAD_INVALID', envelope.fault);
    const isOlder = envelope.payloadVersion < task.payloadVersion;
    const payload = isOlder ? upcastPayload(task, envelope.payloadVersion, stored) : validPayload(task, stored);
    const handler = runtime.handlerOf(task.name);
    await hiding(() => asAttempt(countedAttempt(claim) > 1, () => handler(payload, context)));
    return { outcome: { kind: 'completed' }, children: context.children };
  } catch (error) {
    const { reason } = abort.signal as { reason: unknown };
    const isLast = mayNotBeRepeated(error);
    if (!isLast && (reason instanceof Interruption || isLeaseLost(reason))) {
      return { outcome: { kind: 'snoozed', delayMs: 0, error: failureOf(reason) }, children: [] };
    }
    const ageMs = claim.claimedAtMs - claim.firstStartedAtMs;
    const facts = { attempt: countedAttempt(claim), ageMs, random: runtime.random };
    // Once aborted, whatever else the handler threw is only an echo of the reason.
    const thrown = abort.signal.aborted && !isLast ? reason : error;
    return { outcome: hiding(() => classify(thrown, task, facts)), children: [] };
  } finally {
    context.close();
    clearTimeout(deadline);
  }
}

/** Of a call that may have taken effect, and that the service would not know again: that counts, whatever ended it. */
function mayNotBeRepeated(error: unknown): boolean {
  return error instanceof TaskError && error.kind === 'permanent' && error.code === 'COORD_DOWNSTREAM_UNKNOWN_OUTCOME';
}

function markSpan(span: Span, { outcome, written }: Settled): void {
  if (!written) return markFailed(span, { code: 'COORD_LEASE_LOST' });
  span.setAttribute(ATTR.outcome, outcome.kind);
  if (outcome.kind === 'retried' || outcome.kind === 'dead') markFailed(span, outcome.error);
}
