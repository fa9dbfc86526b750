/**
 * Tasks, jobs and the queue between them. The words used here, and only these, are explained in docs/glossary.md:
 * a Task is declared work, a handler performs it, a Job is one enqueued instance, an attempt is one run of a handler,
 * an Outcome is how it ended, a Receipt is what the one who enqueued gets.
 */
export { audit, type AuditFault, type AuditOptions, type AuditReport } from './audit/audit.ts';
export type { QueueBooks } from './audit/queue-books.ts';
export { auditText, LONGEST_WHY, type AuditNote } from './audit-note.ts';
export { exponential, type Backoff, type ExponentialOptions } from './backoff.ts';
export { RedisBackend, DEFAULT_KEY_PREFIX, type RedisBackendOptions } from './bee-queue/redis-backend.ts';
export type { DeadLetter, DeadLetterPage, DeadLetterPlace, DeadLetterQuery } from './bee-queue/dead-letters.ts';
export {
  eraseSubject,
  type Erasure,
  type ErasureAction,
  type ErasureOptions,
  type ErasureRequest,
} from './bee-queue/erase-subject.ts';
export { AuditLog, type AuditPage, type AuditRecord, type NotedAction } from './bee-queue/audit-log.ts';
export type { AttemptTrace, JobDetails } from './bee-queue/job-details.ts';
export { INDEXED_STATES, type IndexedState, type StatePage, type StateQuery } from './bee-queue/jobs-in-state.ts';
export { checkLayout, keepLayout } from './bee-queue/layout.ts';
export { RedisConnection, type RedisConnectionOptions, type RunScript } from './bee-queue/redis-connection.ts';
export type { RedisTlsFiles } from './bee-queue/redis-tls.ts';
export { loadScript, type Script } from './bee-queue/scripts.ts';
export { checkRedisServer, type RedisServerCheck } from './bee-queue/redis-server-check.ts';
export { servesRetry } from './current-attempt.ts';
export { decodeEnvelope, taskNamedIn, type Envelope } from './envelope.ts';
export {
  CoordinatorError,
  errorCodes,
  isUnavailable,
  type CoordinatorErrorCode,
  type ErrorCode,
} from './error-codes.ts';
export type { EmitOptions, EventDeclaration, EventRouting, RoutedJob } from './event-routing.ts';
export type { JobRecord, JobState, Receipt, StepRecord } from './job.ts';
export { MemoryBackend } from './memory/memory-backend.ts';
export { MemoryClock } from './memory/memory-clock.ts';
export type { JobRequest } from './new-job.ts';
export { type DeadReason, type Failure, type Outcome, type ParkReason } from './outcome.ts';
export type { CatchUp } from './catch-up.ts';
export type {
  CancelResult,
  Claim,
  NewJob,
  QueueBackend,
  RecoveryPolicy,
  ReplayResult,
  ScheduleReading,
  Settlement,
  SettleResult,
  TimelinePage,
  TimelineQuery,
} from './queue-backend.ts';
export { cursorInvalid, TIMELINE_PAGE } from './queue-backend.ts';
export { validPayload } from './payload.ts';
export { PayloadCipher, type StoredPlace } from './payload-cipher.ts';
export { RepeatedErrors } from './repeated-errors.ts';
export { runAttempt, type AttemptRuntime } from './run-attempt.ts';
export { type Retention } from './retention.ts';
export { defineSchedule, type Schedule, type ScheduleDeclaration, type Slot } from './schedule.ts';
export { ScheduleKeeper, type ScheduleKeeperOptions } from './schedule-keeper.ts';
export {
  defineTask,
  type AnyTask,
  type EnqueueOptions,
  type Handlers,
  type PayloadOf,
  type RunningJob,
  type StepContext,
  type Task,
  type TaskContext,
  type TaskDeclaration,
  type TaskHandler,
  type TaskSet,
} from './task.ts';
export { TaskCatalog, type InstalledTask } from './task-catalog.ts';
export { cancel, Interruption, permanent, retryLater, Snooze, TaskError, type FailureKind } from './task-error.ts';
export { TaskQueue, type TaskQueueOptions } from './task-queue.ts';
export { upcast, type Upcaster, type Upcasters } from './upcaster.ts';
export { TaskWorker, type TaskWorkerOptions } from './task-worker.ts';
