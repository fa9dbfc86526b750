export { ATTR } from './attributes.ts';
export type { OnTelemetryProblem } from './diagnostics.ts';
export { observeBreakers, observeQueues, type BreakerReading, type QueueReading } from './gauges.ts';
export { inSpan, markFailed, type SpanSettings } from './in-span.ts';
export { METRICS_CONTENT_TYPE } from './metrics-text.ts';
export {
  countAccepted,
  countRefusedCall,
  countRefusedWebhook,
  countSlots,
  countStuckHandler,
  countTakenBack,
  recordAttempt,
  recordLoopBlocked,
  recordQueueWait,
  type TaskLabels,
} from './metrics.ts';
export {
  extractTraceContext,
  injectTraceContext,
  linkTo,
  traceIdOf,
  type TraceCarrier,
  type TraceContext,
} from './propagation.ts';
export { startTracing, type Tracing, type TracingOptions } from './start-tracing.ts';
