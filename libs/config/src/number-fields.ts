import { field, FieldFault, withDefault, type Field } from './field.ts';

const YEAR_MS = 365 * 24 * 60 * 60 * 1000;

function wholeNumber(least: number, most: number, must: string, byDefault: number | undefined): Field<number> {
  const read = (text: string): number => {
    const trimmed = text.trim();
    // Number() alone also takes '', '0x10', '1e3' and '1.0'; an operator who writes those has made a slip.
    const value = /^\d{1,16}$/.test(trimmed) ? Number(trimmed) : NaN;
    if (!(value >= least && value <= most)) throw new FieldFault(must);
    return value;
  };
  return withDefault(field(read), byDefault);
}

/** A TCP port, 0 to 65535; 0 lets the system pick a free one. Required when no default is given. */
export function port(byDefault?: number): Field<number> {
  return wholeNumber(0, 65_535, 'must be a port: a whole number from 0 (any free port) to 65535', byDefault);
}

/** The longest that a timer of Node waits; told to wait longer, it does not wait. Source: https://nodejs.org/api/timers.html */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * A duration in milliseconds, `leastMs` to `mostMs`, by default one year; of what a timer waits for, {@link LONGEST_TIMER_MS}.
 * Name the variable …_MS. Required when no default is given.
 */
export function durationMs(byDefault?: number, leastMs = 1, mostMs = YEAR_MS): Field<number> {
  return wholeNumber(leastMs, mostMs, `must be milliseconds: a whole number from ${leastMs} to ${mostMs}`, byDefault);
}

/** A whole number of at least `least`, by default 1. Required when no default is given. */
export function count(byDefault?: number, least = 1): Field<number> {
  const most = Number.MAX_SAFE_INTEGER;
  return wholeNumber(least, most, `must be a whole number of ${least} or more`, byDefault);
}
