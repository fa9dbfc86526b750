import { silentLogger } from '@coordinator/logging';
import { leakChecks, privateRedis } from '@coordinator/task-testing';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { audit } from '../audit/audit.ts';
import { eraseSubject } from '../bee-queue/erase-subject.ts';
import { RedisBackend } from '../bee-queue/redis-backend.ts';
import { RedisConnection } from '../bee-queue/redis-connection.ts';
import { Command } from './command.ts';
import { NOTE, cancel, erase, heartbeat, replay, saveStep, settle } from './commands/attempt.ts';
import { enqueue, fireSchedule } from './commands/enqueue.ts';
import { claimLate, popOnly, release, take, takeParked } from './commands/take.ts';
import { letAllEnd, upkeep } from './commands/upkeep.ts';
import type { Engine } from './engine.ts';
import { checkInvariants } from './invariants.ts';
import { Model } from './job-model.ts';

/** Sequences of commands; one has 33 on average, so that these are more than 10 000 commands. */
const RUNS = Number(process.env.FC_RUNS ?? 340);
const MINUTES = 60_000;

const redis = privateRedis({ appendfsync: 'everysec' });
leakChecks();

let connection: RedisConnection;
beforeEach(async () => {
  connection = await connected();
});
afterEach(() => connection.close());

async function connected(): Promise<RedisConnection> {
  const fresh = new RedisConnection({ url: redis.url, log: silentLogger, commandDeadlineMs: 5_000 });
  await fresh.connect();
  return fresh;
}

/** Forgets what the sequence before has left. */
async function freshEngine(): Promise<Engine> {
  await connection.command('FLUSHALL');
  const keyPrefix = redis.freshPrefix();
  const make = () => new RedisBackend(connection, { keyPrefix });
  let backend = make();
  return {
    get backend() {
      return backend;
    },
    root: `${keyPrefix}:`,
    command: (...args) => connection.command(...args),
    audit: (repair) => audit(connection, { keyPrefix, repair }),
    erase: (subject) => eraseSubject(connection, { subject, note: NOTE }, { keyPrefix }),
    restart: async () => {
      connection.close();
      await redis.server.restart();
      connection = await connected();
      backend = make();
    },
  };
}

const commands = fc.commands(
  [
    enqueue,
    enqueue,
    fireSchedule,
    take,
    take,
    popOnly,
    takeParked,
    claimLate,
    release,
    heartbeat,
    saveStep,
    settle,
    settle,
    settle,
    cancel,
    replay,
    erase,
  ].concat([upkeep, upkeep, upkeep] as never[]) as fc.Arbitrary<Command>[],
  { maxCommands: 100, size: 'max' },
);

test(
  'whatever happens in whatever order, the engine keeps its invariants, and all jobs can end',
  async () => {
    const property = fc.asyncProperty(commands, async (sequence) => {
      const model = new Model();
      const engine = await freshEngine();
      await fc.asyncModelRun(() => ({ model, real: engine }), sequence);
      await letAllEnd(model, engine);
      await checkInvariants(model, engine);
      expect((await engine.audit(true)).faults).toEqual([]);
    });
    await fc.assert(property, { numRuns: RUNS, verbose: 0 });
    expect(Command.executed).toBeGreaterThan(RUNS * 30);
  },
  Math.max(3 * MINUTES, RUNS * 1_000),
);
