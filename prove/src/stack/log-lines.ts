/** A line of a process's log, as far as promises look at it. */
export interface LogLine {
  readonly process: string;
  readonly msg: string;
  readonly jobId?: string;
  readonly task?: string;
  readonly attempt?: number;
  readonly outcome?: string;
  readonly code?: string;
  readonly downstream?: string;
  readonly reason?: string;
  readonly release?: string;
  readonly trace_id?: string;
}

/** What the processes of a stack have logged. */
export class LogLines {
  /** Lines in JSON, in the order in which they came. */
  readonly all: LogLine[] = [];

  /** Takes a line; what is no JSON is nobody's log. */
  add(text: string, process: string): void {
    if (!text.startsWith('{')) return;
    try {
      this.all.push({ ...(JSON.parse(text) as Omit<LogLine, 'process'>), process });
    } catch {
      // Cut off by a kill.
    }
  }

  /** Lines whose message matches. */
  matching(pattern: RegExp): LogLine[] {
    return this.all.filter(({ msg }) => pattern.test(msg ?? ''));
  }
}
