import { CATCH_UPS, type CatchUp } from './catch-up.ts';
import { CronSlots } from './cron-slots.ts';
import type { AnyTask, PayloadOf } from './task.ts';

/** A time at which a schedule puts a job on the queue. */
export interface Slot {
  /** The time that the cron expression means, not the one at which the job was made. */
  readonly slotAt: Date;
}

/** What an author writes to declare a schedule. */
export interface ScheduleDeclaration<T extends AnyTask> {
  /** Unique in the whole coordinator, `<noun>.<verb>`: `orders.reconcile`. */
  readonly name: string;
  /** Five fields, `minute hour day month weekday`, or six with seconds in front: `0 3 * * *`. */
  readonly cron: string;
  /** The zone in which `cron` is meant, a name of the IANA database. Default `UTC`. */
  readonly timeZone?: string;
  /** The task that each slot makes a job of; one of the same extension. */
  readonly task: T;
  /** The payload of each job, or how to make it of the slot. It runs again when a worker dies on the way. */
  readonly payload: PayloadOf<T> | ((slot: Slot) => PayloadOf<T>);
  /**
   * What becomes of slots that nobody was there for, and that are a minute late: `skip` leaves them out, `once` makes one
   * job, for the latest of them unless one has come since, `all` one for each of the latest 1000. Default `once`.
   */
  readonly catchUp?: CatchUp;
  /** The business thing its jobs are about. Default `schedule:<name>`. */
  readonly subject?: string;
}

/** A declared schedule: when, in which zone, which job. Nothing runs until a worker keeps it. */
export interface Schedule {
  readonly name: string;
  readonly cron: string;
  readonly timeZone: string;
  readonly task: AnyTask;
  readonly payload: (slot: Slot) => unknown;
  readonly catchUp: CatchUp;
  readonly subject: string;
  readonly slots: CronSlots;
  /** What its last slot is stored under. The expression is a part of it: another one has slots of its own. */
  readonly key: string;
}

const NAME = /^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+$/;

/**
 * Declares a schedule.
 *
 * @throws RangeError when the name, the cron expression, the time zone or the policy makes no sense
 */
export function defineSchedule<T extends AnyTask>(declaration: ScheduleDeclaration<T>): Schedule {
  const { name, task, payload, timeZone = 'UTC', catchUp = 'once', subject = `schedule:${name}` } = declaration;
  if (!NAME.test(name)) {
    throw new RangeError(
      `The schedule name "${name}" is not of the form "<noun>.<verb>", for example "orders.reconcile"`,
    );
  }
  if (!CATCH_UPS.includes(catchUp)) {
    throw new RangeError(`${name}: catchUp must be one of ${CATCH_UPS.join(', ')}, not "${String(catchUp)}"`);
  }
  const cron = declaration.cron.trim().replace(/\s+/g, ' ');
  return Object.freeze({
    ...{ name, cron, timeZone, task, catchUp, subject },
    payload: typeof payload === 'function' ? (payload as (slot: Slot) => unknown) : () => payload as unknown,
    slots: slotsOf(name, cron, timeZone),
    key: `${name} ${timeZone} ${cron}`,
  });
}

function slotsOf(name: string, cron: string, timeZone: string): CronSlots {
  try {
    return new CronSlots(cron, timeZone);
  } catch (error) {
    throw new RangeError(`${name}: ${(error as Error).message}`, { cause: error });
  }
}
