/** A span as the harness and the sandbox show it. */
export interface RecordedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly kind: 'INTERNAL' | 'SERVER' | 'CLIENT' | 'PRODUCER' | 'CONSUMER';
  /** service.name of the process that made it. */
  readonly service: string;
  /** service.version of that process: its release. */
  readonly release: string;
  /** Milliseconds since 1970, with fractions. */
  readonly startMs: number;
  readonly durationMs: number;
  readonly status: 'UNSET' | 'OK' | 'ERROR';
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
}

/** A span and the spans below it. */
export interface SpanTree extends RecordedSpan {
  /** In order of start. */
  readonly children: readonly SpanTree[];
}

/** The spans of one trace as trees, in order of start; a span whose parent is not among them is a root. */
export function spanTrees(spans: readonly RecordedSpan[]): SpanTree[] {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const below = (parentSpanId: string | undefined): SpanTree[] =>
    spans
      .filter((span) => (ids.has(span.parentSpanId ?? '') ? span.parentSpanId : undefined) === parentSpanId)
      .sort((a, b) => a.startMs - b.startMs)
      .map((span) => ({ ...span, children: below(span.spanId) }));
  return below(undefined);
}
