import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import type { Claim } from '../../queue-backend.ts';
import { Command, expectSame, pick } from '../command.ts';
import { LONG_MS, pop, QUEUES, READABLE, type Engine } from '../engine.ts';
import { hasEnded, type Model } from '../job-model.ts';

/** Claims a popped id and further ones. */
async function claim(model: Model, engine: Engine, from: { queue: string; id: string }, more: number, lost: boolean) {
  const batch = { leaseMs: LONG_MS, token: randomUUID(), more, again: false };
  const claims = await engine.backend.claimBatch(from.queue, from.id, batch);
  await check(model, engine, { ...from, claims, token: batch.token }, lost);
}

/** Holds claims against the model; their answer may have been lost, so that the call is repeated. */
async function check(
  model: Model,
  { backend }: Engine,
  { queue, id, claims, token }: { queue: string; id: string; claims: readonly Claim[]; token: string },
  lost: boolean,
) {
  for (const one of claims) {
    const { attempt, crashed } = model.job(one.jobId);
    expectSame('the attempt of a claim', [one.attempt, one.crashed], [attempt + 1, crashed]);
    model.claim(one);
  }
  if (!lost) return;
  const repeated = await backend.claimBatch(queue, id, { leaseMs: LONG_MS, token, more: 0, again: true });
  const tokens = (list: readonly Claim[]) => list.map((one) => `${one.jobId} ${one.token} ${one.attempt}`).sort();
  expectSame('the claims when repeated', tokens(repeated), tokens(claims));
}

class Take extends Command {
  constructor(
    readonly queue: string,
    readonly more: number,
    readonly lost: boolean,
  ) {
    super();
  }

  protected async act(model: Model, engine: Engine): Promise<void> {
    const id = await pop(engine, this.queue);
    if (id !== undefined) await claim(model, engine, { queue: this.queue, id }, this.more, this.lost);
  }

  toString() {
    return `take(${this.queue}, ${this.more} more${this.lost ? ', answer lost' : ''})`;
  }
}

class TakeParked extends Command {
  constructor(
    readonly queue: string,
    readonly most: number,
    readonly lost: boolean,
  ) {
    super();
  }

  protected async act(model: Model, engine: Engine): Promise<void> {
    const search = { leaseMs: LONG_MS, token: randomUUID(), most: this.most };
    const { claims } = await engine.backend.claimParked(this.queue, READABLE, search);
    await check(model, engine, { queue: this.queue, id: '', claims, token: search.token }, this.lost);
  }

  toString() {
    return `takeParked(${this.queue}, ${this.most} at most${this.lost ? ', answer lost' : ''})`;
  }
}

/** A worker that pops and does nothing yet: it may claim late, give back, or be dead. */
class Pop extends Command {
  constructor(readonly queue: string) {
    super();
  }

  protected async act(model: Model, engine: Engine): Promise<void> {
    const id = await pop(engine, this.queue);
    if (id !== undefined) model.popped.push({ queue: this.queue, id });
  }

  toString() {
    return `pop(${this.queue})`;
  }
}

/** The worker of a pop goes on, perhaps long after others have taken the job over. */
class ClaimLate extends Command {
  constructor(
    readonly index: number,
    readonly lost: boolean,
  ) {
    super();
  }

  override check(model: Model): boolean {
    return model.popped.length > 0;
  }

  protected async act(model: Model, engine: Engine): Promise<void> {
    const from = pick(model.popped, this.index);
    model.popped.splice(model.popped.indexOf(from), 1);
    await claim(model, engine, from, 0, this.lost);
  }

  toString() {
    return `claimLate(${this.index}${this.lost ? ', answer lost' : ''})`;
  }
}

class Release extends Command {
  constructor(readonly index: number) {
    super();
  }

  override check(model: Model): boolean {
    return model.popped.length > 0;
  }

  /** A worker gives back what it has not claimed, and only while it is still its own. */
  protected async act(model: Model, { backend }: Engine): Promise<void> {
    const from = pick(model.popped, this.index);
    model.popped.splice(model.popped.indexOf(from), 1);
    const { queue, id } = from;
    const job = model.job(id);
    if (job.state === 'resting' || hasEnded(job)) await backend.release(queue, id);
  }

  toString() {
    return `release(${this.index})`;
  }
}

const queue = fc.constantFrom(...QUEUES);
export const take = fc.tuple(queue, fc.nat(3), fc.boolean()).map(([name, more, lost]) => new Take(name, more, lost));
export const takeParked = fc
  .tuple(queue, fc.integer({ min: 1, max: 3 }), fc.boolean())
  .map(([name, most, lost]) => new TakeParked(name, most, lost));
export const popOnly = queue.map((name) => new Pop(name));
export const claimLate = fc.tuple(fc.nat(9), fc.boolean()).map(([index, lost]) => new ClaimLate(index, lost));
export const release = fc.nat(9).map((index) => new Release(index));
