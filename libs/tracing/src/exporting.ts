import type * as metricsExporter from '@opentelemetry/exporter-metrics-otlp-proto';
import type { Resource } from '@opentelemetry/resources';
import { PeriodicExportingMetricReader, type IMetricReader } from '@opentelemetry/sdk-metrics';
import type * as sdkNode from '@opentelemetry/sdk-node';
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
 * Starts batch export of spans with OpenTelemetry's NodeSDK, which reads sampler, limits, batch sizes, protocol and
 * headers from OTEL_* itself. Required here and not at the top: it loads gRPC and every exporter, 463 modules and
 * about 170 ms more than what a process without an endpoint needs.
 * @returns stops it, after a flush
 */
export function startTraceExport(resource: Resource): () => Promise<void> {
  const { NodeSDK } = require('@opentelemetry/sdk-node') as typeof sdkNode;
  const sdk = new NodeSDK({
    resource,
    // The process detector would send the command line and the user. Whoever wants it names it in the variable.
    autoDetectResources: Boolean(process.env.OTEL_NODE_RESOURCE_DETECTORS),
    instrumentations: [],
    // null means "leave what startTracing has set"; the types know it for the propagator only.
    contextManager: null as unknown as undefined,
    textMapPropagator: null,
    metricReaders: [],
    logRecordProcessors: [],
  });
  sdk.start();
  return () => sdk.shutdown();
}

/** The package that speaks each protocol which OTEL_EXPORTER_OTLP_PROTOCOL may name. */
const METRIC_EXPORTERS = new Map([
  ['grpc', '@opentelemetry/exporter-metrics-otlp-grpc'],
  ['http/json', '@opentelemetry/exporter-metrics-otlp-http'],
]);
const DEFAULT_METRIC_EXPORTER = '@opentelemetry/exporter-metrics-otlp-proto';

/** A reader that exports metrics over OTLP every OTEL_METRIC_EXPORT_INTERVAL (default 60000 ms). */
export function metricExport(): IMetricReader {
  const { env } = process;
  const protocol = env.OTEL_EXPORTER_OTLP_METRICS_PROTOCOL || env.OTEL_EXPORTER_OTLP_PROTOCOL || '';
  const packageName = METRIC_EXPORTERS.get(protocol) ?? DEFAULT_METRIC_EXPORTER;
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
