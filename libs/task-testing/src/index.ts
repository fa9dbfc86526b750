/**
 * What tests of tasks and extensions are written with: runTask() for one attempt, startHarness() for a whole
 * coordinator in memory, fakeDownstream() for the services it calls, privateRedis() where the real one matters.
 */
export { CertificateAuthority, type CertificateOptions, type IssuedCertificate } from './certificates.ts';
export { EffectLedger, type LedgerEntry, type LedgerFilter } from './effect-ledger.ts';
export { eventually, type EventuallyOptions } from './eventually.ts';
export { expectEnqueued } from './expect-enqueued.ts';
export { fakeDownstream } from './fake-downstream.ts';
export {
  environmentOf,
  FakeServer,
  startFakeServer,
  type FakeServerOptions,
  type RecordedRequest,
  type WebhookOptions,
} from './fake-server.ts';
export type { ActiveFault, Fault, FaultMode } from './fault.ts';
export {
  Harness,
  startHarness,
  type AcceptOptions,
  type DrainOptions,
  type HarnessAttempt,
  type HarnessJob,
  type HarnessOptions,
} from './harness.ts';
export { leakChecks } from './leak-checks.ts';
export { privateRedis, type PrivateRedis } from './private-redis.ts';
export { isAlive } from './process-alive.ts';
export { recordSpans, type SpanRecording } from './record-spans.ts';
export { spanTrees, type RecordedSpan, type SpanTree } from './recorded-span.ts';
export { type EnqueuedJob } from './recording-backend.ts';
export { RecordingLog, type LogLine } from './recording-log.ts';
export { findRedisServer, RedisNotFoundError } from './redis-binary.ts';
export {
  freePort,
  startRedis,
  tiedToParent,
  type ProcessEnd,
  type RedisServer,
  type StartRedisOptions,
} from './redis-server.ts';
export { runTask, type EmittedEvent, type RunTaskOptions, type RunTaskResult } from './run-task.ts';
export type { SendOptions, WebhookAnswer } from './send-webhook.ts';
export { TraceSink, type RecordedTrace, type TraceSummary } from './trace-sink.ts';
