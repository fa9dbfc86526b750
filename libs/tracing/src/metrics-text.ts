import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import {
  AggregationTemporality,
  InstrumentType,
  MetricReader,
  type AggregationTemporalitySelector,
} from '@opentelemetry/sdk-metrics';

/** The content type to answer metricsText() with (Prometheus text format 0.0.4). */
export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

// A scraper gives up after 10 s; a Redis that hangs must cost it the queues' gauges and not the whole page.
const COLLECT_MS = 2000;

/**
 * Collects when asked and writes Prometheus text. OpenTelemetry's PrometheusExporter does the same behind an HTTP
 * server of its own; ours answers on the port for probes, where the operator's access rules already are.
 */
export class MetricsText extends MetricReader {
  readonly #serializer = new PrometheusSerializer(undefined, false, undefined, false, true);

  constructor() {
    super({ aggregationTemporalitySelector: freshGauges(() => AggregationTemporality.CUMULATIVE) });
  }

  /** All metrics as Prometheus text; those that could not be read in 2 s are missing. Empty after shutdown. */
  async read(): Promise<string> {
    try {
      const { resourceMetrics } = await this.collect({ timeoutMillis: COLLECT_MS });
      return this.#serializer.serialize(resourceMetrics);
    } catch {
      return '';
    }
  }

  protected override async onShutdown(): Promise<void> {}
  protected override async onForceFlush(): Promise<void> {}
}

/**
 * Asks for gauges as they are read now. A cumulative gauge goes on with its last value when it has no reading, so that
 * a queue would keep the depth it had when Redis went away.
 */
export function freshGauges(others: AggregationTemporalitySelector): AggregationTemporalitySelector {
  return (type) => (type === InstrumentType.OBSERVABLE_GAUGE ? AggregationTemporality.DELTA : others(type));
}
