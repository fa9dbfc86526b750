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

export const enqueue = fc.array(wishes, { minLength: 1, maxLength: 3 }).map((list) => new Enqueue(list));
