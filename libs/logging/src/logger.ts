/**
 * Fields of a log line: plain data. Keep them few and flat; `err` takes an error. Objects with a class of their own
 * (sockets, requests, clients) are written as `[ClassName]` and not walked.
 */
export type LogFields = Readonly<Record<string, unknown>>;

/** The least severe level that is written; `silent` writes nothing. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/** Writes one line: a message that never varies, and fields for what does. */
export interface LogMethod {
  (fields: LogFields, message: string): void;
  (message: string): void;
}

/** What our code asks of a logger. pino's loggers satisfy it, and so does a fake of six methods. */
export interface Logger {
  /** Details that help while developing. */
  readonly debug: LogMethod;
  /** What happened, as it should. */
  readonly info: LogMethod;
  /** Something is wrong, the work goes on without a human. */
  readonly warn: LogMethod;
  /** Work was lost or refused, a human should look. */
  readonly error: LogMethod;
  /** The process cannot go on. Everything written so far is flushed. */
  readonly fatal: LogMethod;
  /** A logger that adds these fields to every line. */
  child(fields: LogFields): Logger;
}

const nothing: LogMethod = () => undefined;

/** A logger that writes nothing, for tests and for callers that give none. */
export const silentLogger: Logger = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  fatal: nothing,
  child: () => silentLogger,
};
