import type { TraceCarrier, TraceContext } from '@coordinator/tracing';
import { z } from 'zod';
import { CoordinatorError } from './error-codes.ts';

/** Version of the envelope's own shape; a worker parks what it does not know. */
export const ENVELOPE_VERSION = 1;

const envelopeSchema = z.object({
  v: z.literal(ENVELOPE_VERSION),
  task: z.string(),
  payloadVersion: z.number(),
  release: z.string(),
  trace: z.object({ traceparent: z.string().optional(), tracestate: z.string().optional() }),
  subject: z.string().optional(),
  parentJobId: z.string().optional(),
  caller: z.string().optional(),
  fault: z.string().optional(),
});

/** What Redis stores of a job besides its payload and its state; written once, at acceptance. */
export interface Envelope {
  readonly v: typeof ENVELOPE_VERSION;
  readonly task: string;
  readonly payloadVersion: number;
  /** The release that accepted the job. */
  readonly release: string;
  /** The PRODUCER span: every attempt continues its trace. */
  readonly trace: TraceContext;
  readonly subject?: string | undefined;
  readonly parentJobId?: string | undefined;
  /**
   * Name of the API token whose request it came from, itself or over its parents: no other may read the job. None for
   * what came from a webhook or a schedule.
   */
  readonly caller?: string | undefined;
  /** Why the payload is not one: see RoutedJob. */
  readonly fault?: string | undefined;
}

/** Reads a stored envelope. @throws CoordinatorError COORD_ENVELOPE_UNREADABLE, COORD_ENVELOPE_VERSION_UNKNOWN */
export function decodeEnvelope(text: string): Envelope {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CoordinatorError('COORD_ENVELOPE_UNREADABLE', undefined, { cause });
  }
  const parsed = envelopeSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { v } = Object(value) as { v?: unknown };
  const newer = typeof v === 'number' && v > ENVELOPE_VERSION;
  throw new CoordinatorError(newer ? 'COORD_ENVELOPE_VERSION_UNKNOWN' : 'COORD_ENVELOPE_UNREADABLE');
}

/** The task that a stored envelope names, whatever its version, to be shown; undefined when it cannot be read. */
export function taskNamedIn(text: string): string | undefined {
  const { task } = fieldsOf(text);
  return typeof task === 'string' ? task : undefined;
}

/** The trace that a stored envelope names, whatever its version; empty when it cannot be read. */
export function traceNamedIn(text: string): TraceCarrier {
  return Object(fieldsOf(text).trace) as TraceCarrier;
}

function fieldsOf(text: string): { readonly task?: unknown; readonly trace?: unknown } {
  try {
    return Object(JSON.parse(text)) as object;
  } catch {
    return {};
  }
}
