import { context, ROOT_CONTEXT, trace, type Context, type Link, type TextMapGetter } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';

/** What an envelope or a request carries of a trace: the W3C trace context (https://www.w3.org/TR/trace-context/). */
export type TraceContext = { traceparent?: string; tracestate?: string };

/** Anything that may carry a trace context: an envelope, or the headers of a request as Node gives them. */
export type TraceCarrier = { readonly traceparent?: unknown; readonly tracestate?: unknown };

/** The length that the W3C asks everybody to keep at least; longer ones are dropped, the traceparent is not. */
const LONGEST_TRACESTATE = 512;

/** The one propagator. Baggage is not propagated: it would carry strangers' data into jobs and on to downstreams. */
export const propagator = new W3CTraceContextPropagator();

// Own properties only, and texts only: the carrier may be parsed JSON of a stranger.
const getter: TextMapGetter<TraceCarrier> = {
  keys: (carrier) => Object.keys(carrier),
  get: (carrier, key) => {
    const value = Object.hasOwn(carrier, key) ? carrier[key as keyof TraceCarrier] : undefined;
    if (typeof value !== 'string') return undefined;
    return key === 'tracestate' && value.length > LONGEST_TRACESTATE ? undefined : value;
  },
};

const setter = {
  set: (carrier: TraceContext, key: string, value: string): void => {
    carrier[key as keyof TraceContext] = value;
  },
};

/** The trace context to put in an envelope or in outgoing headers; empty when there is no span. */
export function injectTraceContext(from: Context = context.active()): TraceContext {
  const carrier: TraceContext = {};
  propagator.inject(from, carrier, setter);
  return carrier;
}

/** The context to start a span in. A carrier without a well-formed traceparent gives a fresh root. */
export function extractTraceContext(carrier: TraceCarrier): Context {
  return propagator.extract(ROOT_CONTEXT, carrier, getter);
}

/** The trace id a carrier belongs to, 32 hex digits, when it has one. */
export function traceIdOf(carrier: TraceCarrier): string | undefined {
  return trace.getSpanContext(extractTraceContext(carrier))?.traceId;
}

/** A link to the span that wrote the carrier, for spans that follow it without being its child. */
export function linkTo(carrier: TraceCarrier): Link | undefined {
  const spanContext = trace.getSpanContext(extractTraceContext(carrier));
  return spanContext && { context: spanContext };
}
