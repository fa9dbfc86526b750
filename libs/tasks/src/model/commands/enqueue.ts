import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import { isConflict, type JobWish, newJob, wishes, writes } from '../job-wish.ts';
import { Command, expectSame } from '../command.ts';
import type { Engine } from '../engine.ts';
import type { Model } from '../job-model.ts';

class Enqueue extends Command {
  constructor(readonly wishes: readonly JobWish[]) {
    super();
  }

  protected async act(model: Model, { backend }: Engine): Promise<void> {
    const jobs = this.wishes.map((wish) => newJob(wish, randomUUID()));
    const expected = writes(model, jobs);
    const receipts = await backend.enqueue(jobs).catch(isConflict);
    const told = receipts && receipts.map(({ jobId, duplicate }) => ({ id: jobId, duplicate }));
    expectSame('the receipts', told, expected);
  }

  toString() {
    return `enqueue(${JSON.stringify(this.wishes)})`;
  }
}

/** A worker that keeps a schedule, and may not have heard how far another one has brought it. */
class FireSchedule extends Command {
  constructor(
    readonly key: string,
    readonly wishes: readonly JobWish[],
    readonly behind: boolean,
  ) {
    super();
  }

  protected async act(model: Model, { backend }: Engine): Promise<void> {
    const { nowMs, lastSlotsMs } = await backend.keepSchedules([this.key]);
    const lastMs = model.schedules.get(this.key) ?? nowMs;
    expectSame('the last slot', lastSlotsMs, [lastMs]);
    model.schedules.set(this.key, lastMs);

    const jobs = this.wishes.map((wish) => newJob(wish, randomUUID()));
    const fromMs = this.behind ? lastMs - 1 : lastMs;
    const expected = this.behind ? 'stale' : writes(model, jobs);
    if (expected && !this.behind) model.schedules.set(this.key, nowMs);
    const fired = await backend.fireSchedule(this.key, fromMs, nowMs, jobs).catch(isConflict);
    const told = Array.isArray(fired) ? fired.map(({ jobId, duplicate }) => ({ id: jobId, duplicate })) : fired;
    expectSame('the receipts of a schedule', told, expected);
  }

  toString() {
    return `fireSchedule(${this.key}, ${JSON.stringify(this.wishes)}${this.behind ? ', behind' : ''})`;
  }
}

export const fireSchedule = fc
  .tuple(fc.constantFrom('nightly', 'hourly'), fc.array(wishes, { maxLength: 2 }), fc.boolean())
  .map(([key, list, behind]) => new FireSchedule(key, list, behind));
export const enqueue = fc.array(wishes, { minLength: 1, maxLength: 3 }).map((list) => new Enqueue(list));
