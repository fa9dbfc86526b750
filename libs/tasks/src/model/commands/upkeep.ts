import fc from 'fast-check';
import type { Settlement } from '../../queue-backend.ts';
import { Command } from '../command.ts';
import { CRASH_LIMIT, LONG_MS, QUEUES, READABLE, type Engine } from '../engine.ts';
import type { Model } from '../job-model.ts';

/** What happens to a queue, whatever its jobs are. */
class Upkeep extends Command {
  constructor(
    readonly name: keyof typeof work,
    readonly queue: string,
  ) {
    super();
  }

  protected act(model: Model, engine: Engine): Promise<void> {
    return work[this.name](this.queue, model, engine);
  }

  toString() {
    return `${this.name}(${this.queue})`;
  }
}

/** Sets all scores of a sorted set to the past: time has gone by. */
const PASS = `
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, ARGV[1] - 1)) do redis.call('ZADD', KEYS[1], 1, id) end`;

async function timePasses({ command, root }: Engine, queue: string, part: string, howMany: number): Promise<void> {
  await command('EVAL', PASS, '1', `${root}q:${queue}:${part}`, String(howMany));
}

async function expire(howMany: number, queue: string, model: Model, engine: Engine): Promise<void> {
  await timePasses(engine, queue, 'leases', howMany);
  const leases = (await engine.command('ZRANGEBYSCORE', `${engine.root}q:${queue}:leases`, '0', '1')) as string[];
  for (const id of leases) {
    const job = model.job(id);
    if (job.state === 'running') job.expired = true;
  }
}

async function recover(queue: string, model: Model, { backend }: Engine): Promise<void> {
  await backend.recover(queue, { graceMs: LONG_MS, crashLimit: CRASH_LIMIT });
  model.recover(queue, CRASH_LIMIT);
}

/** By name; `crash` ends the worker of all jobs of a queue, the others go on after it. */
const work = {
  leaseRunsOut: (queue, model, engine) => expire(1, queue, model, engine),
  recover,
  crash: async (queue, model, engine) => {
    await expire(1_000_000, queue, model, engine);
    await recover(queue, model, engine);
  },
  comeDue: (queue, _model, engine) => timePasses(engine, queue, 'delayed', 1_000_000),
  promote: async (queue, _model, { backend }) => void (await backend.promote(queue)),
  forgetScripts: async (_queue, _model, { command }) => void (await command('SCRIPT', 'FLUSH')),
  restartRedis: (_queue, _model, { restart }) => restart(),
} as const satisfies Record<string, (queue: string, model: Model, engine: Engine) => Promise<void>>;

/** What happens to queues and to Redis. */
export const upkeep = fc
  .tuple(
    fc.oneof(
      { weight: 60, arbitrary: fc.constantFrom('leaseRunsOut', 'recover', 'comeDue', 'promote') },
      { weight: 40, arbitrary: fc.constant('crash') },
      { weight: 5, arbitrary: fc.constant('forgetScripts') },
      { weight: 1, arbitrary: fc.constant('restartRedis') },
    ) as fc.Arbitrary<keyof typeof work>,
    fc.constantFrom(...QUEUES),
  )
  .map(([name, queue]) => new Upkeep(name, queue));

/** Lets everything end that can: nothing that is due may be left unqueued. @throws Error naming what is left */
export async function letAllEnd(model: Model, engine: Engine): Promise<void> {
  const { backend, command, root } = engine;
  for (let idle = 0; idle < 2; idle += 1) {
    for (const queue of QUEUES) {
      await recover(queue, model, engine);
      await work.crash(queue, model, engine);
      await work.comeDue(queue, model, engine);
      await work.promote(queue, model, engine);
      const { claims: parked } = await backend.claimParked(queue, READABLE, { leaseMs: LONG_MS, token: root, most: 1 });
      const batch = { leaseMs: LONG_MS, token: root, more: 1, again: false };
      const claims = [...parked, ...(await backend.claimBatch(queue, '', batch))];
      for (const claim of claims) {
        idle = -1;
        model.claim(claim);
        await backend.settle(claim, COMPLETED);
        model.settle(model.job(claim.jobId), COMPLETED);
      }
    }
  }
  const left = (await command('KEYS', `${root}q:*`)) as string[];
  const standing = left.filter((key) => !/:(counts|kept|dead)$/.test(key));
  const alive = model.jobs.filter(({ state }) => state === 'resting' || state === 'running');
  if (standing.length + alive.length > 0) {
    throw new Error(`left unqueued: ${alive.map(({ id }) => id).join()}, and in ${standing.join()}`);
  }
}

const COMPLETED = {
  ...{ state: 'completed', outcome: 'completed', delayMs: 0, spendsAttempt: true },
  ...{ error: undefined, attemptReport: undefined, children: [] },
} as const satisfies Settlement;
