import { leakChecks, privateRedis } from '@coordinator/task-testing';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { aJob, dedupe, LONG_MS, settlement } from '../conformance/bench.ts';
import { freshBackend, type FreshBackend } from '../conformance/fresh-backend.ts';
import type { NewJob } from '../queue-backend.ts';
import { audit } from './audit.ts';

const redis = privateRedis();
leakChecks();

let { backend, connection, prefix: keyPrefix, pop } = {} as FreshBackend;
beforeEach(async () => {
  ({ backend, connection, prefix: keyPrefix, pop } = await freshBackend(redis));
});
afterEach(async () => {
  // What is put aside has the name of a lease and is none.
  await connection.command('FLUSHALL');
  connection.close();
});

const check = () => audit(connection, { keyPrefix });
const repair = () => audit(connection, { keyPrefix, repair: true });
const redisDo = (command: string, place: string, ...args: string[]) =>
  connection.command(command, `${keyPrefix}:${place}`, ...args);

async function take(queue = 'lms') {
  const batch = { leaseMs: LONG_MS, token: randomUUID(), more: 1, again: false };
  const [claim] = await backend.claimBatch(queue, '', batch);
  return claim;
}

/** Ends all that can end; returns how many have. */
async function workOff(): Promise<number> {
  await connection.command('ZADD', `${keyPrefix}:q:lms:delayed`, 'XX', '1', 'nobody');
  for (let ended = 0; ; ended += 1) {
    const claim = await take();
    if (!claim) return ended;
    await backend.settle(claim, settlement('completed'));
  }
}

/** One job in each state a job can be in; two of each that may stand in a lane. */
async function oneOfEach() {
  const accept = async (overrides: Partial<NewJob> = {}) => (await backend.enqueue([aJob(overrides)]))[0]?.jobId ?? '';
  const ended = async (state: 'parked' | 'completed' | 'dead' | 'cancelled') => {
    const id = await accept();
    await backend.settle((await take())!, settlement(state));
    return id;
  };
  const [parked, completed, dead, cancelled] = [
    await ended('parked'),
    await ended('completed'),
    await ended('dead'),
    await ended('cancelled'),
  ];
  const head = await accept({ lane: 'refunds' });
  await take();
  const [blocked, waiting, scheduled] = [
    await accept({ lane: 'refunds' }),
    await accept(),
    await accept({ delayMs: LONG_MS }),
  ];
  return { parked, completed, dead, cancelled, head, blocked, waiting, scheduled };
}

test('the books of a queue miss a job that is nowhere, and show one that is in two places', async () => {
  const { waiting } = await oneOfEach();
  expect(await backend.books('lms')).toMatchObject({ accepted: 8, waiting: 1, missing: 0 });
  await redisDo('DEL', 'q:lms:waiting');
  expect(await backend.books('lms')).toMatchObject({ waiting: 0, missing: 1 });
  await redisDo('RPUSH', 'q:lms:waiting', waiting, waiting);
  expect(await backend.books('lms')).toMatchObject({ waiting: 2, missing: -1 });
});

describe('an audit', () => {
  test('counts every accepted job in the state that it is in, popped ones as waiting', async () => {
    await oneOfEach();
    await pop('lms');
    const states = { waiting: 1, scheduled: 1, running: 1, blocked: 1, parked: 1, completed: 1, dead: 1, cancelled: 1 };
    expect(await check()).toEqual({
      queues: [{ queue: 'lms', accepted: 8, ...states, missing: 0 }],
      faults: [],
      balanced: true,
    });
  });

  test('finds nothing in an empty Redis', async () => {
    expect(await check()).toEqual({ queues: [], faults: [], balanced: true });
  });

  test('says how many jobs are missing when records and indexes have lost them together', async () => {
    const { waiting } = await oneOfEach();
    await redisDo('DEL', 'q:lms:waiting');
    await redisDo('DEL', `job:${waiting}`);
    const report = await repair();
    expect(report).toMatchObject({ faults: [], balanced: false, queues: [{ accepted: 8, missing: 1 }] });
  });

  type Jobs = Awaited<ReturnType<typeof oneOfEach>>;
  const damages: [what: string, damage: (jobs: Jobs) => Promise<unknown>, fault: string][] = [
    ['a waiting job in no index', () => redisDo('DEL', 'q:lms:waiting'), 'is waiting and not in q:lms:waiting'],
    ['a scheduled one in no index', () => redisDo('DEL', 'q:lms:delayed'), 'is scheduled and not in q:lms:delayed'],
    ['a parked one in no index', () => redisDo('DEL', 'q:lms:parked'), 'is parked and not in q:lms:parked'],
    ['a blocked one in no index', () => redisDo('DEL', 'q:lms:blocked'), 'is blocked and not in q:lms:blocked'],
    [
      'a running one that nobody would miss',
      () => redisDo('DEL', 'q:lms:leases'),
      'is running and not in q:lms:leases',
    ],
    ['a running one that is not active', () => redisDo('DEL', 'q:lms:active'), 'is running and not in q:lms:active'],
    ['a dead letter that no list shows', () => redisDo('DEL', 'q:lms:dead'), 'is dead and not in q:lms:dead'],
    [
      'a job that stands twice',
      ({ waiting }) => redisDo('LPUSH', 'q:lms:waiting', waiting),
      'stands in q:lms:waiting 2 times',
    ],
    [
      'an ended one in a queue',
      ({ dead }) => redisDo('LPUSH', 'q:lms:waiting', dead),
      'is dead and stands in q:lms:waiting',
    ],
    [
      'one in another queue',
      ({ parked }) => redisDo('ZADD', 'q:mail:delayed', '1', parked),
      'is parked and stands in q:mail:delayed',
    ],
    [
      'an ended one in a lane',
      ({ completed }) => redisDo('LPUSH', 'lane:refunds', completed),
      'is completed and stands in lane:refunds',
    ],
    [
      'a lane without its head',
      ({ head }) => redisDo('LREM', 'lane:refunds', '1', head),
      'is blocked and the first in lane:refunds',
    ],
    ['a lane that is gone', () => redisDo('DEL', 'lane:refunds'), 'is blocked and not in lane:refunds'],
    [
      'a suspect in no lane',
      ({ waiting }) => redisDo('HSET', `job:${waiting}`, 'suspect', '1'),
      'is waiting and not in suspects',
    ],
    [
      'a running one without a token',
      ({ head }) => redisDo('HDEL', `job:${head}`, 'token'),
      'is running and has no token',
    ],
    [
      'a blocked one without a lane',
      ({ blocked }) => redisDo('HDEL', `job:${blocked}`, 'lane'),
      'is blocked and in no lane',
    ],
    [
      'an id without a record',
      ({ waiting }) => redisDo('DEL', `job:${waiting}`),
      'has no record and stands in q:lms:waiting',
    ],
    [
      'a record without a state',
      ({ waiting }) => redisDo('HDEL', `job:${waiting}`, 'state'),
      'its record cannot be read',
    ],
    [
      'a record of no known state',
      ({ waiting }) => redisDo('HSET', `job:${waiting}`, 'state', 'lost'),
      'its record cannot be read',
    ],
    ['waiting that is no list', () => replace('q:lms:waiting'), 'is a string and should be a list'],
    ['delayed that is no sorted set', () => replace('q:lms:delayed'), 'is a string and should be a zset'],
    ['leases that are no sorted set', () => replace('q:lms:leases'), 'is a string and should be a zset'],
    ['a lane that is no list', () => replace('lane:refunds'), 'is a string and should be a list'],
    ['suspects that are no list', () => replace('suspects'), 'is a string and should be a list'],
    ['counts that are no hash', () => replace('q:lms:counts'), 'is a string and should be a hash'],
  ];
  async function replace(place: string): Promise<void> {
    await redisDo('DEL', place);
    await redisDo('SET', place, 'garbage');
  }

  test.each(damages)('tells %s, and mends it once', async (_what, damage, fault) => {
    const jobs = await oneOfEach();
    const records = (await connection.command('KEYS', `${keyPrefix}:job:*`)) as string[];
    await damage(jobs);
    const told = await check();
    expect(told.balanced).toBe(false);
    expect(told.faults).toContainEqual(expect.objectContaining({ what: fault, repaired: false }));
    // A check changes nothing.
    expect(await check()).toEqual(told);

    const { faults, balanced } = await repair();
    expect(balanced).toBe(true);
    expect(faults.map(({ repaired }) => repaired)).not.toContain(false);
    expect(faults).not.toHaveLength(0);
    expect(await repair()).toMatchObject({ faults: [], balanced: true });
    const now = (await connection.command('KEYS', `${keyPrefix}:job:*`)) as string[];
    expect(records.filter((key) => !now.includes(key))).toEqual([]);
  });

  test('gives a damaged key back to the job whose record names it, and puts others aside', async () => {
    const job = aJob({ dedupe: dedupe('k1') });
    await backend.enqueue([job]);
    const places = ['key:lms.enrol:k1', 'key:lms.enrol:nobodys'];
    await redisDo('DEL', places[0]!);
    await redisDo('RPUSH', places[0]!, 'garbage');
    await redisDo('SET', places[1]!, 'garbage');
    const faults = places.map((where) => ({ where, what: 'does not tell which job holds it', repaired: false }));
    const told = await check();
    expect(told.balanced).toBe(false);
    expect(told.faults).toHaveLength(2);
    expect(told.faults).toEqual(expect.arrayContaining(faults));
    expect(await repair()).toMatchObject({ balanced: true });
    expect(await check()).toMatchObject({ faults: [], balanced: true });
    expect(await backend.enqueue([aJob({ dedupe: dedupe('k1') })])).toMatchObject([{ jobId: job.id, duplicate: true }]);
    expect(await redisDo('PTTL', places[0]!)).toBeGreaterThan(95 * 3_600_000);
    expect(await redisDo('EXISTS', places[1]!)).toBe(0);
    expect(await redisDo('GET', `unreadable:${places[1]}`)).toBe('garbage');
  });

  test('makes the timeline of a subject anew from the records, before what was accepted since', async () => {
    const subject = 'order:D-1001';
    const envelope = JSON.stringify({ ...(JSON.parse(aJob().envelope) as object), subject });
    const jobs = Array.from({ length: 4 }, () => aJob({ subject, envelope }));
    for (const [i, job] of jobs.entries()) {
      await backend.enqueue([job]);
      await redisDo('HSET', `job:${job.id}`, 'createdAt', String(1_000 + i));
    }
    await redisDo('SET', `subject:${subject}`, 'garbage');
    const where = `subject:${subject}`;
    expect((await check()).faults).toEqual([{ where, what: 'is a string and should be a list', repaired: false }]);
    expect(await repair()).toMatchObject({ balanced: true });
    expect(await redisDo('LRANGE', where, '0', '-1')).toEqual(jobs.map(({ id }) => id));
    expect(await redisDo('PTTL', where)).toBeGreaterThan(30 * 24 * 3_600_000);
  });

  test('tells counts that are no numbers, and opens the books anew', async () => {
    await oneOfEach();
    await redisDo('HSET', 'q:lms:counts', 'accepted', 'garbage');
    const what = 'is a hash of other things than numbers and should be a hash';
    expect((await check()).faults).toEqual([{ where: 'q:lms:counts', what, repaired: false }]);
    expect(await repair()).toMatchObject({ balanced: true, queues: [{ missing: 0 }] });
  });

  test.each(['schedules', 'schedules:kept', 'audit-log', 'downstreams', 'suspects'])(
    'tells another type of %s',
    async (place) => {
      await replace(place);
      expect(await check()).toMatchObject({ balanced: false, faults: [{ where: place, repaired: false }] });
      expect(await repair()).toMatchObject({ balanced: true });
      expect(await check()).toMatchObject({ faults: [] });
    },
  );

  test('keeps what it takes out of the way', async () => {
    await oneOfEach();
    await replace('q:lms:waiting');
    await repair();
    await replace('q:lms:waiting');
    await repair();
    expect(await redisDo('GET', 'unreadable:q:lms:waiting')).toBe('garbage');
    expect(await connection.command('KEYS', `${keyPrefix}:unreadable:*`)).toHaveLength(2);
    expect(await workOff()).toBe(1);
  });

  test('makes a lost lane anew in the order of acceptance, behind the one that runs', async () => {
    const jobs = Array.from({ length: 6 }, (_, i) => aJob({ lane: 'refunds', id: `0000000${i}-0000` }));
    await backend.enqueue(jobs);
    const running = await take();
    await redisDo('DEL', 'lane:refunds');
    await redisDo('DEL', 'q:lms:blocked');
    expect(await repair()).toMatchObject({ balanced: true });
    expect(await redisDo('LRANGE', 'lane:refunds', '0', '-1')).toEqual(jobs.map(({ id }) => id));
    await backend.settle(running!, settlement('completed'));
    expect(await workOff()).toBe(5);
  });

  test('lets one of a lane go first when two have got past each other', async () => {
    await backend.enqueue([aJob({ lane: 'refunds' }), aJob({ lane: 'refunds' })]);
    const head = await take();
    await redisDo('DEL', 'lane:refunds');
    await backend.enqueue([aJob({ lane: 'refunds' })]);
    expect(await repair()).toMatchObject({ balanced: true, queues: [{ running: 1, blocked: 2, waiting: 0 }] });
    await backend.settle(head!, settlement('completed'));
    expect(await workOff()).toBe(2);
  });
});
