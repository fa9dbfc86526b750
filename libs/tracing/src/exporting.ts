import type { MeterProvider } from '@opentelemetry/api';
import { getNumberFromEnv } from '@opentelemetry/core';
import type * as metricsExporter from '@opentelemetry/exporter-metrics-otlp-proto';
import type * as traceExporter from '@opentelemetry/exporter-trace-otlp-proto';
import type { Resource } from '@opentelemetry/resources';
import { PeriodicExportingMetricReader, type IMetricReader } from '@opentelemetry/sdk-metrics';
import type * as sdkNode from '@opentelemetry/sdk-node';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace';
import { freshGauges } from './metrics-text.ts';

/** Which signals leave the process. */
export interface Exporting {
  readonly traces: boolean;
  readonly metrics: boolean;
}

/** Reads OpenTelemetry's own variables: without an endpoint nothing is exported, unlike the SDK's default. */
export function exportingFrom(env: NodeJS.ProcessEnv): Exporting {
  const enabled = env.OTEL_SDK_DISABLED?.trim().toLowerCase() !== 'true';
  const wanted = (endpoint: string | undefined, exporter: string | undefined): boolean =>
    enabled && Boolean(env.OTEL_EXPORTER_OTLP_ENDPOINT || endpoint) && exporter?.trim() !== 'none';
  return {
    traces: wanted(env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, env.OTEL_TRACES_EXPORTER),
    metrics: wanted(env.OTEL_EXPORTER_OTLP_METRICS_ENDPOINT, env.OTEL_METRICS_EXPORTER),
  };
}

/**
 * Starts batch export of spans with OpenTelemetry's NodeSDK, which reads sampler and limits from OTEL_* itself, as the
 * exporter reads endpoint and headers. Required here and not at the top: it loads gRPC and every exporter, 463 modules and
 * about 170 ms more than what a process without an endpoint needs.
 * @param meters count the spans that were exported, and those that were dropped
 * @returns stops it, after a flush
 */
export function startTraceExport(resource: Resource, meters: MeterProvider): () => Promise<void> {
  const { NodeSDK } = require('@opentelemetry/sdk-node') as typeof sdkNode;
  const { env } = process;
  const { OTLPTraceExporter } = require(
    exporterPackage('trace', env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL),
  ) as TraceExport;
  const sdk = new NodeSDK({
    resource,
    // The process detector would send the command line and the user. Whoever wants it names it in the variable.
    autoDetectResources: Boolean(env.OTEL_NODE_RESOURCE_DETECTORS),
    instrumentations: [],
    // null means "leave what startTracing has set"; the types know it for the propagator only.
    contextManager: null as unknown as undefined,
    textMapPropagator: null,
    // The SDK's own would count nothing: it has no meter provider, as metrics are not its business here.
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: new OTLPTraceExporter(),
        selfObsMeterProvider: meters,
        maxQueueSize: getNumberFromEnv('OTEL_BSP_MAX_QUEUE_SIZE'),
        maxExportBatchSize: getNumberFromEnv('OTEL_BSP_MAX_EXPORT_BATCH_SIZE'),
        scheduledDelayMillis: getNumberFromEnv('OTEL_BSP_SCHEDULE_DELAY'),
        exportTimeoutMillis: getNumberFromEnv('OTEL_BSP_EXPORT_TIMEOUT'),
      }),
    ],
    metricReaders: [],
    logRecordProcessors: [],
  });
  sdk.start();
  return () => sdk.shutdown();
}

type TraceExport = typeof traceExporter;

/** The package that speaks the protocol which the variable of a signal, or else that of all, names. */
function exporterPackage(signal: 'trace' | 'metrics', own: string | undefined): string {
  const known = new Map([
    ['grpc', 'grpc'],
    ['http/json', 'http'],
  ]);
  const protocol = own || process.env.OTEL_EXPORTER_OTLP_PROTOCOL || '';
  return `@opentelemetry/exporter-${signal}-otlp-${known.get(protocol) ?? 'proto'}`;
}

/** A reader that exports metrics over OTLP every OTEL_METRIC_EXPORT_INTERVAL (default 60000 ms). */
export function metricExport(): IMetricReader {
  const { env } = process;
  const packageName = exporterPackage('metrics', env.OTEL_EXPORTER_OTLP_METRICS_PROTOCOL);
  const { OTLPMetricExporter } = require(packageName) as typeof metricsExporter;
  const exportIntervalMillis = Number(env.OTEL_METRIC_EXPORT_INTERVAL) || 60_000;
  const exporter = new OTLPMetricExporter();
  exporter.selectAggregationTemporality = freshGauges(exporter.selectAggregationTemporality.bind(exporter));
  return new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis,
    exportTimeoutMillis: Math.min(Number(env.OTEL_METRIC_EXPORT_TIMEOUT) || 30_000, exportIntervalMillis),
  });
}
