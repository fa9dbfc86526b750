import { diag, DiagLogLevel } from '@opentelemetry/api';

const QUIET_MS = 60_000;

/** Told of trouble inside telemetry: what, and how many further messages were left out since the last call. */
export type OnTelemetryProblem = (message: string, leftOut: number) => void;

/**
 * Passes OpenTelemetry's own warnings and errors on, at most one a minute: a collector that is down makes one every
 * few seconds in every process, for as long as it is down.
 * @param now milliseconds of a clock that only goes forward; default performance.now
 */
export function reportProblems(onProblem: OnTelemetryProblem, now: () => number = () => performance.now()): void {
  let quietUntil = -Infinity;
  let leftOut = 0;
  const report = (message: string): void => {
    if (now() < quietUntil) {
      leftOut++;
      return;
    }
    quietUntil = now() + QUIET_MS;
    const skipped = leftOut;
    leftOut = 0;
    try {
      onProblem(readable(message), skipped);
    } catch {
      // The callback is a logger. Its trouble must not surface in the middle of a span.
    }
  };
  const ignore = (): void => undefined;
  const logger = { error: report, warn: report, info: ignore, debug: ignore, verbose: ignore };
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
}

/** Exporters report an error as JSON with its stack; its message is what a log line needs. */
function readable(message: string): string {
  try {
    const { message: inner, code, name } = JSON.parse(message) as Record<string, unknown>;
    return [name, code, inner].filter((part) => typeof part === 'string' && part !== '').join(' ') || message;
  } catch {
    return message;
  }
}
