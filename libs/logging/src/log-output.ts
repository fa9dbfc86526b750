import pino from 'pino';

type LogOutput = ReturnType<typeof pino.destination>;

/** Beyond this much text that nobody reads, lines are dropped rather than memory used up. */
const MOST_WAITING_BYTES = 16 * 1024 * 1024;

let output: LogOutput | undefined;

/**
 * The standard output, written without waiting. With `sync: true` a collector that reads slowly stops the event loop
 * of API and workers at every line (a pipe holds 64 KiB). The price: lines wait in memory for a moment. pino writes
 * them out when the process exits in any orderly way (its end, process.exit, an uncaught exception) and after every
 * fatal line; only kill -9 or a signal without a handler can lose the last few.
 */
export function logOutput(): LogOutput {
  output ??= pino.destination({ fd: 1, sync: false, maxLength: MOST_WAITING_BYTES });
  return output;
}

/** Writes out what is waiting, at once and blocking. For the last moment before an abrupt end. */
export function flushLogs(): void {
  output?.flushSync();
}
