import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import type { Settlement } from '../../queue-backend.ts';
import { Command, expectSame, pick } from '../command.ts';
import { LONG_MS, SUBJECTS, type Engine } from '../engine.ts';
import { hasEnded, type JobModel, type Model } from '../job-model.ts';
import { isConflict, newJob, wishes, writes, type JobWish } from '../job-wish.ts';

/** What the holder of a claim does; the claim may have been lost long ago. */
abstract class AttemptCommand extends Command {
  constructor(readonly index: number) {
    super();
  }

  override check(model: Model): boolean {
    return model.claims.length > 0;
  }

  /** Counted from the newest: those are the ones that run. */
  protected claimOf(model: Model) {
    const claim = pick([...model.claims].reverse(), this.index);
    const job = model.job(claim.jobId);
    return { claim, job, holds: job.token === claim.token };
  }
}

class Heartbeat extends AttemptCommand {
  protected async act(model: Model, { backend }: Engine): Promise<void> {
    const { claim, job, holds } = this.claimOf(model);
    const orders = await backend.heartbeat(claim.queue, [claim], LONG_MS);
    const told = orders.map(({ why }) => (why === 'lost' ? why : 'cancel'));
    expectSame('what a heartbeat is told', told, !holds ? ['lost'] : job.cancelAsked ? ['cancel'] : []);
    if (holds) job.expired = false;
  }

  toString() {
    return `heartbeat(${this.index})`;
  }
}

class SaveStep extends AttemptCommand {
  protected async act(model: Model, { backend }: Engine): Promise<void> {
    const { claim, job, holds } = this.claimOf(model);
    const before = await backend.job(job.id);
    expectSame('a step', await backend.saveStep(claim, 'find', '7'), holds ? 'settled' : 'stale');
    if (!holds) expectSame('the steps', (await backend.job(job.id))?.steps, before?.steps);
  }

  toString() {
    return `saveStep(${this.index})`;
  }
}

/** How an attempt ends. */
interface End {
  readonly state: Settlement['state'];
  readonly delayMs: number;
  readonly spends: boolean;
  readonly children: readonly JobWish[];
  readonly lost: boolean;
}

class Settle extends AttemptCommand {
  constructor(
    index: number,
    readonly end: End,
  ) {
    super(index);
  }

  protected async act(model: Model, { backend }: Engine): Promise<void> {
    const { claim, job, holds } = this.claimOf(model);
    const { state, delayMs, spends, lost } = this.end;
    const children = this.end.children.map((wish) => newJob(wish, randomUUID()));
    const unset = { outcome: state, error: undefined, attemptReport: undefined };
    const settlement = { state, delayMs, spendsAttempt: spends, children, ...unset };
    const expected = this.#expected(model, job, holds, `${claim.token} ${state}`, settlement);
    expectSame('a settlement', await backend.settle(claim, settlement).catch(isConflict), expected);
    if (lost && expected === 'settled') {
      expectSame('a settlement, repeated', await backend.settle(claim, settlement), 'settled');
    }
  }

  /** What it must answer, and does to the model. */
  #expected(model: Model, job: JobModel, holds: boolean, by: string, settlement: Settlement) {
    if (!holds) return job.settledBy === by ? 'settled' : 'stale';
    const written = writes(model, settlement.children);
    if (!written) return undefined;
    const erases = job.eraseAsked;
    model.settle(job, settlement);
    for (const [i, child] of settlement.children.entries()) {
      // Work about what was erased meanwhile is not begun.
      if (erases && !written[i]?.duplicate && child.subject === job.subject) model.erase(model.job(child.id));
    }
    return 'settled';
  }

  toString() {
    return `settle(${this.index}, ${JSON.stringify(this.end)})`;
  }
}

/** By an operator, at any time. */
/** Who does by hand what is done so. */
export const NOTE = { by: 'model', why: 'withdrawn', requestId: 'r1', release: '1.0.0' };

class Cancel extends Command {
  constructor(readonly index: number) {
    super();
  }

  override check(model: Model): boolean {
    return model.jobs.length > 0;
  }

  protected async act(model: Model, { backend }: Engine): Promise<void> {
    const job = pick(model.jobs, this.index);
    const ended = hasEnded(job);
    const told = await backend.cancel(job.id, NOTE);
    if (job.state === 'running') job.cancelAsked = true;
    else if (!ended) job.state = 'cancelled';
    expectSame('the state after a cancel', told?.after, job.state);
  }

  toString() {
    return `cancel(${this.index})`;
  }
}

/** By an operator, of a dead letter or of any other job. */
class Replay extends Command {
  constructor(readonly index: number) {
    super();
  }

  override check(model: Model): boolean {
    return model.jobs.length > 0;
  }

  protected async act(model: Model, { backend }: Engine): Promise<void> {
    const dead = model.jobs.filter(({ state }) => state === 'dead');
    const job = pick(dead.length > 0 && this.index % 4 > 0 ? dead : model.jobs, this.index);
    const told = await backend.replay(job.id, NOTE);
    const replayable = job.state === 'dead' && !job.erased;
    expectSame('whether a replay is one', told?.before !== told?.after, replayable);
    if (replayable) model.replay(job);
  }

  toString() {
    return `replay(${this.index})`;
  }
}

/** Of all that is stored about a subject. */
class Erase extends Command {
  constructor(readonly subject: string) {
    super();
  }

  protected async act(model: Model, engine: Engine): Promise<void> {
    const told = (await engine.erase(this.subject)).map(({ jobId, action }) => `${jobId} ${action}`);
    const about = model.jobs.filter(({ subject }) => subject === this.subject);
    expectSame('what is erased', told.sort(), about.map((job) => `${job.id} ${model.erase(job)}`).sort());
  }

  toString() {
    return `erase(${this.subject})`;
  }
}

const index = fc.nat(12);
const end = fc.record({
  state: fc.constantFrom('completed', 'scheduled', 'scheduled', 'parked', 'dead', 'cancelled'),
  delayMs: fc.constantFrom(0, LONG_MS),
  spends: fc.boolean(),
  children: fc.array(wishes, { maxLength: 2 }),
  lost: fc.boolean(),
} satisfies Record<keyof End, fc.Arbitrary<unknown>>) as fc.Arbitrary<End>;

export const heartbeat = index.map((at) => new Heartbeat(at));
export const saveStep = index.map((at) => new SaveStep(at));
export const settle = fc.tuple(index, end).map(([at, how]) => new Settle(at, how));
export const cancel = fc.nat(30).map((at) => new Cancel(at));
export const erase = fc.constantFrom(...SUBJECTS).map((subject) => new Erase(subject));
export const replay = fc.nat(30).map((at) => new Replay(at));
