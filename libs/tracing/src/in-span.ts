import {
  context,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Link,
  type Span,
  type SpanKind,
} from '@opentelemetry/api';
import { ATTR } from './attributes.ts';

/** How to make a span. */
export interface SpanSettings {
  /** SERVER, PRODUCER, CONSUMER, CLIENT or INTERNAL (default). */
  readonly kind?: SpanKind;
  /** Known when it starts; use the names in ATTR. */
  readonly attributes?: Attributes;
  /** The context the span is a child of. Default the active one. */
  readonly parent?: Context;
  /** Spans it follows without being their child; undefined ones are left out, so linkTo() fits in. */
  readonly links?: readonly (Link | undefined)[];
}

/**
 * Runs `run` in a new span and ends the span with it. When it throws, the span gets the status ERROR with the error's
 * code or type, and the error goes on to the caller. Messages and stacks stay away: they may quote payloads.
 *
 * Names: `POST /v1/orders` (SERVER), `send <queue>` (PRODUCER), `process <task>` (CONSUMER), `POST` (CLIENT).
 */
export async function inSpan<T>(
  name: string,
  { kind, attributes, parent = context.active(), links }: SpanSettings,
  run: (span: Span) => T | Promise<T>,
): Promise<T> {
  const known = links?.filter((link) => link !== undefined);
  const span = trace.getTracer('coordinator').startSpan(name, { kind, attributes, links: known }, parent);
  try {
    return await context.with(trace.setSpan(parent, span), run, undefined, span);
  } catch (error) {
    markFailed(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/** Marks a span as failed although nothing was thrown, such as an attempt that a handler's error made a retry. */
export function markFailed(span: Span, error: unknown): void {
  if (!span.isRecording()) return;
  const type = errorType(error);
  span.setAttribute(ATTR.errorType, type);
  span.setStatus({ code: SpanStatusCode.ERROR, message: type });
}

function errorType(error: unknown): string {
  const { code, name } = Object(error) as { code?: unknown; name?: unknown };
  if (typeof code === 'number') return String(code);
  // `_OTHER` is what the conventions want where nothing better is known.
  return [code, name].find(isIdentifier) ?? '_OTHER';
}

/** Codes and names can be set to anything; a text with spaces is a message and stays out. */
function isIdentifier(value: unknown): value is string {
  return typeof value === 'string' && /^[\w.:-]{1,64}$/.test(value);
}
