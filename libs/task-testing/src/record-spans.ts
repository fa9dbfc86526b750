import { context, propagation, trace } from '@opentelemetry/api';
import type * as sdkNode from '@opentelemetry/sdk-node';
import { spanTrees, type RecordedSpan, type SpanTree } from './recorded-span.ts';

/** The spans that a test's code ends. */
export interface SpanRecording {
  /** All ended spans, in order of their end. */
  spans(): RecordedSpan[];
  /** One trace as trees, parents above children; more than one tree where a parent has not ended, or is elsewhere. */
  trace(traceId: string): SpanTree[];
  /** Forgets what was recorded. */
  clear(): void;
  /** Ends the recording and gives OpenTelemetry back as it was before: not set up. */
  stop(): Promise<void>;
}

/**
 * Records the spans of this process in memory, until stop().
 *
 * @throws Error when OpenTelemetry is set up already, by another recording or by startTracing()
 */
export function recordSpans(): SpanRecording {
  // Required here and not at the top: it loads every exporter, which other tests and the sandbox need not pay for.
  const { node, tracing } = require('@opentelemetry/sdk-node') as typeof sdkNode;
  const exporter = new tracing.InMemorySpanExporter();
  const provider = new node.NodeTracerProvider({ spanProcessors: [new tracing.SimpleSpanProcessor(exporter)] });
  if (!trace.setGlobalTracerProvider(provider))
    throw new Error('Spans are recorded or exported already: stop() first.');
  trace.disable();
  provider.register();
  const spans = () => exporter.getFinishedSpans().map(shown);
  return {
    spans,
    trace: (traceId) => spanTrees(spans().filter((span) => span.traceId === traceId)),
    clear: () => exporter.reset(),
    stop: async () => {
      await provider.shutdown();
      [trace, context, propagation].forEach((api) => api.disable());
    },
  };
}

type FinishedSpan = ReturnType<InstanceType<typeof sdkNode.tracing.InMemorySpanExporter>['getFinishedSpans']>[number];

// The API counts kinds from INTERNAL = 0.
const KINDS = ['INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'] as const;
const STATUSES = ['UNSET', 'OK', 'ERROR'] as const;

function shown(span: FinishedSpan): RecordedSpan {
  const { traceId, spanId } = span.spanContext();
  return {
    traceId,
    spanId,
    parentSpanId: span.parentSpanContext?.spanId,
    name: span.name,
    kind: KINDS[span.kind] ?? 'INTERNAL',
    service: String(span.resource.attributes['service.name']),
    release: String(span.resource.attributes['service.version'] ?? 'unknown'),
    startMs: toMs(span.startTime),
    durationMs: toMs(span.duration),
    status: STATUSES[span.status.code] ?? 'UNSET',
    attributes: span.attributes,
    links: span.links.map((link) => ({ traceId: link.context.traceId, spanId: link.context.spanId })),
  };
}

function toMs([seconds, nanoseconds]: [number, number]): number {
  return seconds * 1_000 + nanoseconds / 1_000_000;
}
