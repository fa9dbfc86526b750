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
    visibly(destination ?? logOutput()),
  );
  // pino passes the fields of children by formatters.log. Children inherit from this object, so one override is enough.
  const { child } = logger;
  logger.child = function (this: pino.Logger, fields: LogFields) {
    return child.call(this, safeFields(fields));
  } as typeof child;
  return logger;
}

/**
 * JSON escapes C0 only. Written as they are, these would act on the terminal of whoever reads the line (C1 has a CSI of one
 * character), break it for readers that know U+2028, or turn its text around (https://www.unicode.org/reports/tr9/).
 */
const ACTING = /[\u007f-\u009f\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/g;

/** The same destination, for lines in which every character is seen. What is escaped stands in texts only, as all of it is JSON. */
function visibly(destination: { write(line: string): void; flushSync?: () => void }): pino.DestinationStream {
  const escape = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return {
    write: (line: string) => destination.write(line.replace(ACTING, escape)),
    // pino asks for it after a fatal line.
    ...{ flushSync: () => destination.flushSync?.() },
  };
}

function withTraceIds(fields: Record<string, unknown>): Record<string, unknown> {
  const span = trace.getActiveSpan()?.spanContext();
  if (span === undefined || !isSpanContextValid(span)) return fields;
  return { trace_id: span.traceId, span_id: span.spanId, ...fields };
}
