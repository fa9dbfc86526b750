import { isSpanContextValid, trace } from '@opentelemetry/api';
import pino from 'pino';
import { logOutput } from './log-output.ts';
import type { LogFields, Logger, LogLevel } from './logger.ts';
import { maskText } from './mask.ts';
import { createSafeFields } from './safe-fields.ts';

/** How to make a logger. */
export interface LoggerOptions {
  /** The process: coordinator-api, coordinator-worker, … */
  readonly service: string;
  /** The release it was built from. */
  readonly release: string;
  /** Default info. At debug, errors are written with their stack. */
  readonly level?: LogLevel;
  /** Where lines go. Default the standard output, without blocking; see flushLogs(). */
  readonly destination?: { write(line: string): void };
}

/**
 * A logger of JSON lines: time (ISO 8601, UTC), level, service, release, trace_id and span_id of the active span, the
 * caller's fields, msg. Personal data and secrets are masked as far as names and shapes tell them.
 */
export function createLogger({ service, release, level = 'info', destination }: LoggerOptions): Logger {
  const safeFields = createSafeFields(level === 'debug');
  const logger = pino(
    {
      level,
      base: { service, release },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => withTraceIds(safeFields(fields as LogFields)),
      },
      serializers: {
        msg: (message: unknown) => (typeof message === 'string' ? maskText(message) : message),
        // safeFields has already made the record; pino's default would make another one of it.
        err: (record: unknown) => record,
      },
    },
    destination ?? logOutput(),
  );
  // pino passes the fields of children by formatters.log. Children inherit from this object, so one override is enough.
  const { child } = logger;
  logger.child = function (this: pino.Logger, fields: LogFields) {
    return child.call(this, safeFields(fields));
  } as typeof child;
  return logger;
}

function withTraceIds(fields: Record<string, unknown>): Record<string, unknown> {
  const span = trace.getActiveSpan()?.spanContext();
  if (span === undefined || !isSpanContextValid(span)) return fields;
  return { trace_id: span.traceId, span_id: span.spanId, ...fields };
}
