import { randomUUID } from 'node:crypto';
import { context, diag, metrics, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { AlwaysOffSampler, ParentBasedSampler, TracerProvider } from '@opentelemetry/sdk-trace';
import { reportProblems, type OnTelemetryProblem } from './diagnostics.ts';
import { exportingFrom, metricExport, startTraceExport } from './exporting.ts';
import { MetricsText } from './metrics-text.ts';
import { installMetrics, uninstallMetrics } from './metrics.ts';
import { propagator } from './propagation.ts';

const LONGEST_FLUSH_MS = 2_000;

/** Who emits the telemetry, and whom to tell of trouble with it. */
export interface TracingOptions {
  /** service.name; OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win over it. */
  readonly service: string;
  /** service.version. */
  readonly release: string;
  /** Called at most once a minute, such as while the collector is down. Default nobody. */
  readonly onProblem?: OnTelemetryProblem;
}

/** Telemetry of this process. */
export interface Tracing {
  /** Whether anything is exported. */
  readonly exporting: boolean;
  /** Exports what is waiting, for at most 2 s, then stops telemetry. Never throws. */
  shutdown(): Promise<void>;
  /** All metrics as Prometheus text; answer it with METRICS_CONTENT_TYPE. */
  metricsText(): Promise<string>;
}

/**
 * Starts telemetry, once per process and before the first span. Spans and metrics are exported over OTLP as the OTEL_*
 * variables of the process say; when none names an endpoint, nothing leaves the process, but every span has a trace id
 * for logs and job records all the same.
 * @throws {Error} when it is started already
 */
export function startTracing({ service, release, onProblem = () => undefined }: TracingOptions): Tracing {
  const contextManager = new AsyncLocalStorageContextManager().enable();
  if (!context.setGlobalContextManager(contextManager)) throw new Error('Tracing is started already.');
  propagation.setGlobalPropagator(propagator);
  reportProblems(onProblem);

  const exporting = exportingFrom(process.env);
  const own = { 'service.name': service, 'service.version': release, 'service.instance.id': randomUUID() };
  const resource = defaultResource()
    .merge(resourceFromAttributes(own))
    .merge(detectResources({ detectors: [envDetector] }));

  const text = new MetricsText();
  const meterProvider = new MeterProvider({
    resource,
    readers: [text, ...(exporting.metrics ? [metricExport()] : [])],
  });
  metrics.setGlobalMeterProvider(meterProvider);
  installMetrics(meterProvider.getMeter('coordinator'));

  const stopTraces = exporting.traces ? startTraceExport(resource, meterProvider) : startTraceIdsOnly();

  const stop = async (): Promise<void> => {
    await inTime([stopTraces, () => meterProvider.shutdown()]);
    uninstallMetrics();
    [trace, metrics, propagation, context].forEach((api) => api.disable());
  };
  let stopped: Promise<void> | undefined;
  return {
    exporting: exporting.traces || exporting.metrics,
    metricsText: () => text.read(),
    shutdown: () => (stopped ??= stop()),
  };
}

/** Spans that have ids and record nothing. A caller's sampled flag goes on to whom we call, as it has to. */
function startTraceIdsOnly(): () => Promise<void> {
  const provider = new TracerProvider({ sampler: new ParentBasedSampler({ root: new AlwaysOffSampler() }) });
  trace.setGlobalTracerProvider(provider);
  return () => provider.shutdown();
}

async function inTime(stops: (() => Promise<void>)[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, LONGEST_FLUSH_MS);
  });
  // The SDK hands the failure of a last flush to whoever stops it, and not to diag as it does while running.
  const tell = (error: Error): void => diag.error(`The last export failed: ${error.message}`);
  await Promise.race([Promise.all(stops.map((stop) => stop().catch(tell))), late]);
  clearTimeout(timer);
}
