/**
 * Attribute names of spans and metrics. Those without `coordinator.` are OpenTelemetry's semantic conventions for
 * HTTP, messaging and errors (https://opentelemetry.io/docs/specs/semconv/), written out here because the package
 * with the names of the messaging conventions calls them unstable and moves them between its releases.
 */
export const ATTR = {
  /** HTTP: the method, upper case. */
  httpRequestMethod: 'http.request.method',
  /** HTTP server: the route as declared, never the path as called. */
  httpRoute: 'http.route',
  /** HTTP: the status answered, a number. */
  httpResponseStatusCode: 'http.response.status_code',
  /** HTTP client: which try this is, from 1 for the first repetition. */
  httpRequestResendCount: 'http.request.resend_count',
  /** HTTP: http or https. */
  urlScheme: 'url.scheme',
  /** HTTP client: the route template of the downstream, such as /v1/refunds/{id}. */
  urlTemplate: 'url.template',
  /** The host called or listened on. */
  serverAddress: 'server.address',
  /** The port called or listened on, a number. */
  serverPort: 'server.port',
  /** Why an operation failed: a code or a type with few different values. Set by inSpan. */
  errorType: 'error.type',
  /** Messaging: always `bee-queue` here. */
  messagingSystem: 'messaging.system',
  /** Messaging: the queue. */
  messagingDestinationName: 'messaging.destination.name',
  /** Messaging: `send`, `process` or `recover`. */
  messagingOperationName: 'messaging.operation.name',
  /** Messaging: the kind of operation, `send` or `process`. */
  messagingOperationType: 'messaging.operation.type',
  /** Messaging: the job's id. */
  messagingMessageId: 'messaging.message.id',
  /** Messaging: how many jobs a span is about, a number. */
  messagingBatchMessageCount: 'messaging.batch.message_count',
  /** The task, such as stripe.refund. */
  task: 'coordinator.task',
  /** Which attempt of the job this is, from 1. */
  attempt: 'coordinator.attempt',
  /** How the attempt ended: completed, retried, snoozed, cancelled or dead. */
  outcome: 'coordinator.outcome',
  /** The business thing the job is about, such as order:D-1001. */
  subject: 'coordinator.subject',
  /** The job's lane key. */
  lane: 'coordinator.lane',
  /** The schedule whose slot made the job. */
  schedule: 'coordinator.schedule',
  /** The step of the handler. */
  step: 'coordinator.step',
  /** The extension that declares the route or task. */
  extension: 'coordinator.extension',
  /** The downstream called, by the name of its client. */
  downstream: 'coordinator.downstream',
  /** Why a call was not made: open, paused, full, concurrency, rate or retry-budget. */
  refusal: 'coordinator.refusal',
  /** Whether an enqueue found the job already there, a boolean. */
  duplicate: 'coordinator.duplicate',
  /** The release that wrote the job's envelope; the emitting process's own is service.version. */
  envelopeRelease: 'coordinator.envelope.release',
} as const;
