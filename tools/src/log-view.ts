/** A line of a process's log, as far as it is shown differently. */
interface LogRecord {
  level?: string;
  msg?: string;
  [field: string]: unknown;
}

const COLOURS = [36, 35, 32, 34, 33];
const LEVEL_COLOURS: Record<string, number> = { warn: 33, error: 31, fatal: 31 };
/** Fields that say nothing to somebody who sees the name of the process at the start of the line. */
const LEFT_OUT = new Set(['level', 'msg', 'time', 'service', 'release', 'pid', 'hostname', 'span_id']);

/** How to show the lines of several processes. */
export interface LogViewOptions {
  /** Shows everything. Default: warnings, errors, and what is no log record (a stack trace, for example). */
  verbose?: boolean;
  /** Whether to use colours. Default: false. */
  colours?: boolean;
}

/**
 * Makes a function that turns a process's line into one to show, or into undefined where it is not shown. Lines that tell
 * of a start are shown as well.
 */
export function createLogView(options: LogViewOptions = {}): (line: string, name: string) => string | undefined {
  const { verbose = false, colours = false } = options;
  const names: string[] = [];
  const paint = (text: string, code: number | undefined) =>
    colours && code !== undefined ? `\u001b[${code}m${text}\u001b[0m` : text;
  return (line, name) => {
    if (!names.includes(name)) names.push(name);
    const prefix = paint(`${name.padEnd(9)}|`, COLOURS[names.indexOf(name) % COLOURS.length]);
    const record = parseRecord(line);
    if (record === undefined) return line.trim() === '' ? undefined : `${prefix} ${line}`;
    const { level = 'info', msg = '' } = record;
    if (!verbose && LEVEL_COLOURS[level] === undefined && !tellsOfStart(msg)) return undefined;
    const rest = Object.entries(record).filter(([field]) => !LEFT_OUT.has(field));
    const fields = rest.map(
      ([field, value]) => `${field}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
    );
    return [prefix, paint(level, LEVEL_COLOURS[level]), msg, ...fields].join(' ');
  };
}

function tellsOfStart(msg: string): boolean {
  return /\b(listening|ready|started|starting)\b/i.test(msg);
}

function parseRecord(line: string): LogRecord | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as LogRecord;
  } catch {
    return undefined;
  }
}
