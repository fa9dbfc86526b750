import { spansOfOtlp, type OtlpTraces } from './otlp.ts';
import type { RecordedSpan } from './recorded-span.ts';

/** All spans of one trace that have arrived. */
export interface RecordedTrace {
  readonly traceId: string;
  /** In order of start. */
  readonly spans: readonly RecordedSpan[];
}

/** A line of a list of traces. */
export interface TraceSummary {
  readonly traceId: string;
  /** Name of its first span without a parent; of its first span when none is here. */
  readonly rootName: string;
  /** Milliseconds since 1970. */
  readonly startMs: number;
  /** From the first start to the last end. */
  readonly durationMs: number;
  readonly spanCount: number;
  /** Whether any of its spans failed. */
  readonly failed: boolean;
}

/** Keeps the traces that processes export over OTLP, the last ones in memory; works without a server, too. */
export class TraceSink {
  readonly #most: number;
  /** In order of the last arrival. */
  readonly #traces = new Map<string, Map<string, RecordedSpan>>();

  /** @param most how many traces are kept. Default 2 000 */
  constructor(most = 2_000) {
    this.#most = most;
  }

  /** Takes the body of `POST /v1/traces` of OTLP/HTTP with JSON; a span that comes again is kept once. */
  add(body: OtlpTraces): void {
    for (const span of spansOfOtlp(body)) {
      const spans = this.#traces.get(span.traceId) ?? new Map<string, RecordedSpan>();
      spans.set(span.spanId, span);
      this.#traces.delete(span.traceId);
      this.#traces.set(span.traceId, spans);
    }
    for (const traceId of this.#traces.keys()) {
      if (this.#traces.size <= this.#most) break;
      this.#traces.delete(traceId);
    }
  }

  /** The spans of a trace; undefined when none has arrived. */
  trace(traceId: string): RecordedTrace | undefined {
    const spans = this.#traces.get(traceId);
    return spans && { traceId, spans: [...spans.values()].sort((a, b) => a.startMs - b.startMs) };
  }

  /** The traces that got a span last, newest first. @param limit default 50 */
  list(limit = 50): TraceSummary[] {
    const newest = [...this.#traces.keys()].slice(-Math.max(1, limit)).reverse();
    return newest.map((traceId) => summaryOf(this.trace(traceId) as RecordedTrace));
  }

  /** Forgets all traces. */
  clear(): void {
    this.#traces.clear();
  }
}

function summaryOf({ traceId, spans }: RecordedTrace): TraceSummary {
  const first = spans[0] as RecordedSpan;
  const root = spans.find((span) => span.parentSpanId === undefined) ?? first;
  const endMs = spans.reduce((latest, span) => Math.max(latest, span.startMs + span.durationMs), 0);
  return {
    traceId,
    rootName: root.name,
    startMs: first.startMs,
    // To the microsecond: beyond it a double of this size holds only noise.
    durationMs: Math.round((endMs - first.startMs) * 1_000) / 1_000,
    spanCount: spans.length,
    failed: spans.some((span) => span.status === 'ERROR'),
  };
}
