import type { Logger } from '@coordinator/logging';
import { ATTR, countAccepted, countSlots } from '@coordinator/tracing';
import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { MOST_SLOTS, slotsToFire } from './catch-up.ts';
import { isUnavailable } from './error-codes.ts';
import { prepareJob, type PreparedJob } from './new-job.ts';
import type { QueueBackend } from './queue-backend.ts';
import type { Schedule } from './schedule.ts';
import type { TaskCatalog } from './task-catalog.ts';

/** What a ScheduleKeeper needs. */
export interface ScheduleKeeperOptions {
  readonly backend: QueueBackend;
  readonly catalog: TaskCatalog;
  readonly schedules: readonly Schedule[];
  readonly release: string;
  readonly log: Logger;
}

/** Jobs of one write, so that a thousand of them do not keep Redis from everything else. */
const JOBS_PER_WRITE = 100;

/**
 * Puts a job on the queue for each slot of its schedules. Any number of keepers may run: the write of a slot's job is
 * also what moves the schedule on, and whoever comes second changes nothing.
 */
export class ScheduleKeeper {
  readonly #options: ScheduleKeeperOptions;
  /** The slot that follows the last one, so that a tick at which nothing is due computes nothing. */
  readonly #next = new Map<string, { readonly lastMs: number; readonly nextMs: number }>();
  /** The last slot at which a schedule failed: it is tried again each tick, and told once. */
  readonly #failedAfter = new Map<string, number>();

  constructor(options: ScheduleKeeperOptions) {
    this.#options = options;
  }

  /** Fires what is due by the clock of the backend. @throws CoordinatorError COORD_QUEUE_UNAVAILABLE */
  async tick(): Promise<void> {
    const { backend, schedules, log } = this.#options;
    const { nowMs, lastSlotsMs } = await backend.keepSchedules(schedules.map(({ key }) => key));
    for (const [i, schedule] of schedules.entries()) {
      const lastMs = lastSlotsMs[i] as number;
      try {
        if (this.#nextAfter(schedule, lastMs) <= nowMs) await this.#fireDue(schedule, lastMs, nowMs);
      } catch (error) {
        if (isUnavailable(error)) throw error;
        // Its slots stay due: the next tick that finds room, or a release that can make their payload, makes up for them.
        if (this.#failedAfter.get(schedule.key) === lastMs) continue;
        this.#failedAfter.set(schedule.key, lastMs);
        log.error({ err: error, schedule: schedule.name }, 'schedule could not fire');
      }
    }
  }

  /** The first slot of any schedule after a time; Infinity when there is none. */
  nextSlotMs(afterMs: number): number {
    return Math.min(...this.#options.schedules.map(({ slots }) => slots.next(afterMs)));
  }

  #nextAfter(schedule: Schedule, lastMs: number): number {
    const known = this.#next.get(schedule.key);
    if (known?.lastMs === lastMs) return known.nextMs;
    const nextMs = schedule.slots.next(lastMs);
    this.#next.set(schedule.key, { lastMs, nextMs });
    return nextMs;
  }

  async #fireDue(schedule: Schedule, lastMs: number, nowMs: number): Promise<void> {
    // One more than may be made up for, to know whether there were more.
    const due = schedule.slots.latest(lastMs, nowMs, MOST_SLOTS + 1);
    const toFire = slotsToFire(due, nowMs, schedule.catchUp);
    const skipped = due.length - toFire.length;
    let fromMs = lastMs;
    for (let i = 0; i === 0 || i < toFire.length; i += JOBS_PER_WRITE) {
      const batch = toFire.slice(i, i + JOBS_PER_WRITE);
      const isLast = i + JOBS_PER_WRITE >= toFire.length;
      const toMs = (isLast ? due : batch).at(-1) as number;
      if (!(await this.#fire(schedule, fromMs, toMs, batch))) return;
      if (i === 0 && skipped > 0) this.#reportSkipped(schedule, skipped, lastMs);
      fromMs = toMs;
    }
  }

  /** Writes the jobs of these slots; false when another keeper was first. */
  async #fire(schedule: Schedule, fromMs: number, toMs: number, slotsMs: readonly number[]): Promise<boolean> {
    const prepared = slotsMs.map((slotMs) => this.#prepare(schedule, slotMs));
    const jobs = prepared.map(({ job }) => job);
    const receipts = await this.#options.backend.fireSchedule(schedule.key, fromMs, toMs, jobs);
    // The spans of jobs that were not written are never ended, and so never told: another keeper, or tick, has theirs.
    if (receipts === 'stale') return false;
    receipts.forEach(({ jobId, duplicate }, i) => {
      const { job, span } = prepared[i] as PreparedJob;
      if (duplicate) return;
      span.end();
      countAccepted(job);
      countSlots({ schedule: schedule.name, outcome: 'fired', slots: 1 });
      const fields = { schedule: schedule.name, slot: isoTime(slotsMs[i] as number), jobId, task: job.task };
      context.with(trace.setSpan(ROOT_CONTEXT, span), () => this.#options.log.info(fields, 'schedule fired'));
    });
    return true;
  }

  /** The job of a slot, at the root of a trace of its own. */
  #prepare(schedule: Schedule, slotMs: number): PreparedJob {
    const { name, task, subject } = schedule;
    const options = {
      subject,
      // The same slot is the same job even where a clock that was set back, or another expression, brings it again.
      idempotencyKey: `${name}@${isoTime(slotMs)}`,
      refuseOtherPayload: false,
    };
    const payload = schedule.payload({ slotAt: new Date(slotMs) });
    const prepared = context.with(ROOT_CONTEXT, () => prepareJob({ task, payload, options }, this.#options));
    prepared.span.setAttribute(ATTR.schedule, name);
    return prepared;
  }

  #reportSkipped({ name, catchUp }: Schedule, skipped: number, lastMs: number): void {
    countSlots({ schedule: name, outcome: 'skipped', slots: skipped });
    const fields = { schedule: name, catchUp, skipped, since: isoTime(lastMs) };
    this.#options.log.warn(fields, 'schedule skipped missed slots');
  }
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
