import type { LogFields, Logger, LogLevel, LogMethod } from '@coordinator/logging';

/** A line that was logged. */
export interface LogLine {
  readonly level: Exclude<LogLevel, 'silent'>;
  readonly message: string;
  /** Those of the line and of the loggers above it. */
  readonly fields: LogFields;
}

/** A logger that keeps its lines, and those of its children, for a test to read. */
export class RecordingLog implements Logger {
  /** In the order in which they were logged. */
  readonly lines: LogLine[];
  readonly #fields: LogFields;

  /** @param fields added to every line. Default: none @param lines where lines go. Default: a list of its own */
  constructor(fields: LogFields = {}, lines: LogLine[] = []) {
    this.#fields = fields;
    this.lines = lines;
  }

  readonly debug = this.#method('debug');
  readonly info = this.#method('info');
  readonly warn = this.#method('warn');
  readonly error = this.#method('error');
  readonly fatal = this.#method('fatal');

  child(fields: LogFields): RecordingLog {
    return new RecordingLog({ ...this.#fields, ...fields }, this.lines);
  }

  #method(level: LogLine['level']): LogMethod {
    return (fields: LogFields | string, message?: string) => {
      const own = typeof fields === 'string' ? {} : fields;
      this.lines.push({
        level,
        message: typeof fields === 'string' ? fields : (message ?? ''),
        fields: { ...this.#fields, ...own },
      });
    };
  }
}
