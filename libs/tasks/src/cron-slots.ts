import { Cron } from 'croner';

/** Five fields, or six with seconds in front. No `?`: it stands for the time at which a process starts. */
const CRON = /^[^\s?]+( [^\s?]+){4,5}$/;

/**
 * The points in time that a cron expression means in a time zone, in milliseconds since 1970.
 *
 * Where the clocks are changed, an expression with fixed hours and minutes (`30 2 * * *`) keeps its number of slots:
 * a time that is left out is made up for right after the gap, and of a time that comes twice the first counts. One with
 * a wildcard or a step (`0,30 * * * *`) follows the time that passes, as cron does since Vixie's.
 */
export class CronSlots {
  readonly #cron: Cron;

  /** @throws RangeError for an expression or a time zone that does not exist, or an expression that never comes */
  constructor(expression: string, timeZone: string) {
    if (!CRON.test(expression)) {
      throw new RangeError(
        `the cron expression "${expression}" must have five fields, minute hour day month weekday, ` +
          'or six with seconds in front, such as "0 3 * * *"; "?" is none of them',
      );
    }
    if (!isTimeZone(timeZone)) {
      throw new RangeError(`"${timeZone}" is no time zone; use a name of the IANA database, such as "Europe/Berlin"`);
    }
    try {
      this.#cron = new Cron(expression, { timezone: timeZone, mode: '5-or-6-parts', fixedTimeRule: 'no-wildcard' });
    } catch (error) {
      throw new RangeError(`the cron expression "${expression}" is not readable: ${(error as Error).message}`, {
        cause: error,
      });
    }
    if (!this.#cron.nextRun()) throw new RangeError(`the cron expression "${expression}" means no day that ever comes`);
  }

  /** The first slot after a time; Infinity when none comes any more. */
  next(afterMs: number): number {
    return this.#cron.nextRun(new Date(afterMs))?.getTime() ?? Infinity;
  }

  /** The latest slots after `afterMs` and not after `untilMs`, at most `most`, oldest first. */
  latest(afterMs: number, untilMs: number, most: number): number[] {
    const slots: number[] = [];
    // croner counts in whole seconds and looks for what is before them.
    let beforeMs = Math.floor(untilMs / 1_000) * 1_000 + 1_000;
    while (slots.length < most) {
      const slotMs = this.#cron.previousRuns(1, new Date(beforeMs))[0]?.getTime() ?? -Infinity;
      if (slotMs <= afterMs) break;
      slots.unshift(slotMs);
      beforeMs = slotMs;
    }
    return slots;
  }
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
