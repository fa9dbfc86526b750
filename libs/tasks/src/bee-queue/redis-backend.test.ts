import { Secret } from '@coordinator/config';
import { silentLogger } from '@coordinator/logging';
import { eventually, leakChecks, privateRedis } from '@coordinator/task-testing';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import { describeQueueBackend } from '../conformance/queue-backend.ts';
import { aJob, settlement, type BackendUnderTest } from '../conformance/bench.ts';
import { freshBackend, type FreshBackend } from '../conformance/fresh-backend.ts';
import { describeSchedules } from '../conformance/schedules.ts';
import { PayloadCipher } from '../payload-cipher.ts';
import { RedisBackend } from './redis-backend.ts';
import { RedisConnection } from './redis-connection.ts';

const redis = privateRedis();
leakChecks();

let { backend, connection, prefix, pop } = {} as FreshBackend;
beforeEach(async () => {
  ({ backend, connection, prefix, pop } = await freshBackend(redis));
});
afterEach(() => connection.close());

async function redisTimeMs(): Promise<number> {
  const [seconds, micros] = (await connection.command('TIME')) as [string, string];
  return Number(seconds) * 1_000 + Number(micros) / 1_000;
}

/** Its clock cannot be moved: asks for the time until enough has passed. */
async function advance(byMs: number): Promise<void> {
  const endMs = (await redisTimeMs()) + byMs;
  while ((await redisTimeMs()) < endMs);
}

const keys = new PayloadCipher(new Map([['k1', new Secret(randomBytes(32).toString('base64'))]]));

for (const [name, cipher] of Object.entries({ RedisBackend: new PayloadCipher(), 'RedisBackend with keys': keys })) {
  const make = async (): Promise<BackendUnderTest> => ({
    backend: new RedisBackend(connection, { keyPrefix: prefix, cipher }),
    pop,
    advance,
    payloadOf: async (jobId) => {
      const stored = (await connection.command('HGET', `${prefix}:job:${jobId}`, 'payload')) as string | null;
      return stored === null ? undefined : cipher.decrypt(stored, { jobId, field: 'payload' });
    },
  });
  describeQueueBackend(name, make);
  describeSchedules(name, make);
}

describe('RedisBackend beyond what memory can do', () => {
  const policy = { crashLimit: 3 };

  test('forgets a schedule that nobody has kept for an hour in which others were, but not over an outage', async () => {
    const HOUR_MS = 3_600_000;
    await backend.keepSchedules(['taken out', 'other']);
    const last = `${prefix}:schedules`;
    const kept = `${last}:kept`;
    const agoMs = async (hours: number) => String(Math.floor(await redisTimeMs()) - hours * HOUR_MS);
    const keptAt = async (key: string, hours: number) => connection.command('ZADD', kept, await agoMs(hours), key);
    await connection.command('HSET', last, 'other', '7', 'taken out', '7');

    // Nobody ran for ten hours: both had been kept until then.
    for (const key of ['any worker', 'other', 'taken out']) await keptAt(key, 10);
    expect((await backend.keepSchedules(['other'])).lastSlotsMs).toEqual([7]);
    expect(await connection.command('HGET', last, 'taken out')).toBe('7');

    // By now others have run for longer than an hour since.
    const again = await backend.keepSchedules(['other', 'taken out']);
    expect(again.lastSlotsMs).toEqual([7, again.nowMs]);
  });

  test('writes no sign of a schedule that was given one within the minute', async () => {
    await backend.keepSchedules(['a']);
    const scores = async () => connection.command('ZRANGE', `${prefix}:schedules:kept`, '0', '-1', 'WITHSCORES');
    const before = await scores();
    await advance(3);
    await backend.keepSchedules(['a']);
    expect(await scores()).toEqual(before);
  });

  test('does not notice that Redis has forgotten the scripts', async () => {
    await backend.enqueue([aJob()]);
    await redis.command('SCRIPT', 'FLUSH');
    const claim = await backend.claim('lms', (await pop('lms')) as string, 60_000);
    await redis.command('SCRIPT', 'FLUSH');
    expect(await backend.heartbeat('lms', [claim!], 60_000)).toEqual([]);
    await redis.command('SCRIPT', 'FLUSH');
    expect(await backend.promote('lms')).toBe(0);
    expect((await backend.job(claim!.jobId))?.state).toBe('running');
  });

  test('gives a popped job that nobody claimed back after the grace, and no crash is counted', async () => {
    const job = aJob();
    await backend.enqueue([job]);
    await pop('lms');
    expect(await backend.recover('lms', { ...policy, graceMs: 60_000 })).toEqual([]);
    expect(await pop('lms')).toBeUndefined();

    await connection.command('ZADD', `${prefix}:q:lms:leases`, '1', job.id);
    expect(await backend.recover('lms', { ...policy, graceMs: 60_000 })).toMatchObject([
      { jobId: job.id, state: 'waiting' },
    ]);
    expect(await pop('lms')).toBe(job.id);
    expect(await connection.command('HEXISTS', `${prefix}:job:${job.id}`, 'crashes')).toBe(0);
  });

  test('does not claim a popped job that was given back meanwhile', async () => {
    const job = aJob();
    await backend.enqueue([job]);
    await pop('lms');
    expect(await backend.recover('lms', { ...policy, graceMs: 0 })).toMatchObject([
      { jobId: job.id, state: 'waiting' },
    ]);
    expect(await backend.claim('lms', job.id, 60_000)).toBeUndefined();
    expect(await backend.claim('lms', (await pop('lms')) as string, 60_000)).toMatchObject({
      jobId: job.id,
      attempt: 1,
    });
  });

  test('puts a popped job that is given back in front, and once', async () => {
    const [first, second] = [aJob(), aJob()];
    await backend.enqueue([first, second]);
    await pop('lms');
    await backend.release('lms', first.id);
    await backend.release('lms', first.id);
    expect([await pop('lms'), await pop('lms'), await pop('lms')]).toEqual([first.id, second.id, undefined]);
  });

  test('leaves nothing in the indexes of a queue that has done its work', async () => {
    await backend.enqueue([aJob(), aJob({ delayMs: 1 })]);
    await advance(3);
    await backend.promote('lms');
    for (let id = await pop('lms'); id !== undefined; id = await pop('lms')) {
      const claim = await backend.claim('lms', id, 60_000);
      await backend.settle(claim!, settlement('completed'));
    }
    const keys = (await connection.command('KEYS', `${prefix}:q:*`)) as string[];
    expect(keys).toEqual([`${prefix}:q:lms:counts`]);
    const counts = await connection.command('HGETALL', `${prefix}:q:lms:counts`);
    expect(counts).toEqual(['accepted', '2', 'completed', '2']);
  });

  test('says that nothing is certain when Redis does not answer in time, and works again when it does', async () => {
    const impatient = new RedisConnection({ url: redis.url, log: silentLogger, commandDeadlineMs: 50 });
    await impatient.connect();
    redis.server.pause();
    const attempt = new RedisBackend(impatient, { keyPrefix: prefix }).enqueue([aJob()]);
    await expect(attempt).rejects.toMatchObject({
      code: 'COORD_QUEUE_UNAVAILABLE',
      message: expect.stringContaining('the job may be stored'),
    });
    redis.server.resume();
    impatient.close();
    expect(await backend.enqueue([aJob()])).toMatchObject([{ state: 'waiting' }]);
  });

  test('claims further waiting jobs with a popped one, and all of them again when the answer was lost', async () => {
    await backend.enqueue(Array.from({ length: 5 }, () => aJob()));
    const popped = (await pop('lms')) as string;
    const batch = { leaseMs: 60_000, token: randomUUID(), more: 2, again: false };
    const claims = await backend.claimBatch('lms', popped, batch);
    expect(claims.map(({ attempt }) => attempt)).toEqual([1, 1, 1]);
    expect(new Set(claims.map(({ token }) => token)).size).toBe(3);

    const repeated = await backend.claimBatch('lms', popped, { ...batch, more: 0, again: true });
    const ids = (list: typeof claims) => list.map(({ jobId }) => jobId).sort();
    expect(ids(repeated)).toEqual(ids(claims));
    expect(repeated.map(({ attempt }) => attempt)).toEqual([1, 1, 1]);
    expect(await backend.readQueue('lms')).toMatchObject({ depth: 2 });
  });

  test('extends leases instead of taking them back when nobody kept the queue, because Redis was away', async () => {
    await backend.enqueue([aJob()]);
    const claim = await backend.claim('lms', (await pop('lms')) as string, 1);
    await advance(5);
    const keep = { ...policy, graceMs: 60_000 };
    expect(await backend.recover('lms', keep)).toHaveLength(1);
    const again = await backend.claim('lms', (await pop('lms')) as string, 1);
    await advance(60);
    expect(await backend.recover('lms', { ...keep, outageMs: 50 })).toEqual([]);
    expect(await backend.job(again?.jobId as string)).toMatchObject({ state: 'running', attempt: 2 });
    expect(claim?.jobId).toBe(again?.jobId);
  });

  test('takes jobs back in the end although those who keep the queue always come late', async () => {
    await backend.enqueue([aJob()]);
    const claim = await backend.claim('lms', (await pop('lms')) as string, 1);
    const late = { ...policy, graceMs: 60_000, outageMs: 200 };
    const states: string[][] = [];
    for (let call = 0; call < 6; call += 1) {
      await advance(210);
      states.push((await backend.recover('lms', late)).map(({ state }) => state));
    }
    expect(states[0]).toEqual([]);
    expect(states.flat()).toEqual(['waiting']);
    expect(await backend.job(claim?.jobId as string)).toMatchObject({ state: 'waiting' });
  });

  test('takes no more jobs than may wait in a queue, tells known ones apart, and takes all children', async () => {
    const small = new RedisBackend(connection, { keyPrefix: prefix, maxDepth: 2 });
    const known = aJob({ dedupe: { key: 'lms.enrol:k', fingerprint: 'f', windowMs: 60_000 } });
    await small.enqueue([known, aJob({ delayMs: 60_000 })]);
    await expect(small.enqueue([aJob()])).rejects.toMatchObject({
      code: 'COORD_QUEUE_FULL',
      message: 'The queue lms is full: too many jobs wait in it',
    });
    expect(await small.enqueue([aJob({ dedupe: known.dedupe })])).toMatchObject([{ duplicate: true }]);
    const other = aJob({ queue: 'mail' });
    await expect(small.enqueue([other, other, other])).rejects.toMatchObject({ code: 'COORD_QUEUE_FULL' });
    expect(await small.job(other.id)).toBeUndefined();

    const claim = await small.claim('lms', (await pop('lms')) as string, 60_000);
    const children = [aJob(), aJob(), aJob()];
    expect(await small.settle(claim!, settlement('completed', { children }))).toBe('settled');
    expect(await small.readQueue('lms')).toMatchObject({ depth: 3 });
  });

  test('admits nothing new from 80 % of maxmemory on, and something again below', async () => {
    await backend.enqueue([aJob()]);
    const used = Number(/used_memory:(\d+)/.exec((await connection.command('INFO', 'memory')) as string)?.[1]);
    await redis.command('CONFIG', 'SET', 'maxmemory', String(Math.round(used * 1.1)));
    try {
      const fresh = new RedisBackend(connection, { keyPrefix: prefix });
      const message = 'Redis is nearly full: jobs are accepted again when some have ended';
      await eventually(() =>
        expect(fresh.enqueue([aJob()])).rejects.toMatchObject({ code: 'COORD_QUEUE_FULL', message }),
      );
      await redis.command('CONFIG', 'SET', 'maxmemory', '0');
      await eventually(async () => expect(await fresh.enqueue([aJob()])).toHaveLength(1));
    } finally {
      await redis.command('CONFIG', 'SET', 'maxmemory', '0');
    }
  });

  test('moves and ends what is there while Redis is full, and says so to what is new', async () => {
    await backend.enqueue([aJob(), aJob()]);
    await redis.command('CONFIG', 'SET', 'maxmemory', '1');
    try {
      await expect(pop('lms')).rejects.toMatchObject({ code: 'COORD_QUEUE_FULL' });
      const batch = { leaseMs: 60_000, token: randomUUID(), more: 2, again: false };
      const [first, second] = await backend.claimBatch('lms', '', batch);
      expect(await backend.heartbeat('lms', [first!], 60_000)).toEqual([]);
      expect(await backend.saveStep(first!, 'find', '7')).toBe('settled');
      expect(await backend.settle(first!, settlement('completed', { children: [aJob()] }))).toBe('settled');
      expect(await backend.settle(second!, settlement('scheduled'))).toBe('settled');
      expect(await backend.promote('lms')).toBe(1);
      // Its watch has not looked again yet: Redis itself refuses.
      await expect(backend.enqueue([aJob()])).rejects.toMatchObject({
        code: 'COORD_QUEUE_FULL',
        message: 'Redis is full; nothing was stored',
      });
    } finally {
      await redis.command('CONFIG', 'SET', 'maxmemory', '0');
    }
  });

  test.each([
    ['is gone', (key: string) => connection.command('DEL', key)],
    ['has lost its state', (key: string) => connection.command('HDEL', key, 'state')],
    ['has no state that there is', (key: string) => connection.command('HSET', key, 'state', '\xff\0garbage')],
    [
      'is no hash',
      async (key: string) => {
        await connection.command('DEL', key);
        await connection.command('SET', key, 'garbage');
      },
    ],
  ])('makes a dead letter of a job whose record %s, wherever it is found', async (_what, damage) => {
    const [waiting, scheduled, running, parked] = [aJob(), aJob({ delayMs: 1 }), aJob(), aJob()];
    await backend.enqueue([parked, running, waiting, scheduled]);
    const first = await backend.claim('lms', (await pop('lms')) as string, 60_000);
    await backend.settle(first!, settlement('parked'));
    const claim = await backend.claim('lms', (await pop('lms')) as string, 1);
    await advance(3);
    for (const { id } of [waiting, scheduled, running, parked]) await damage(`${prefix}:job:${id}`);

    expect(await backend.heartbeat('lms', [claim!], 1)).toEqual([{ token: claim!.token, why: 'lost' }]);
    expect(await backend.saveStep(claim!, 'find', '7')).toBe('stale');
    expect(await backend.settle(claim!, settlement('completed'))).toBe('stale');
    expect(await backend.claim('lms', (await pop('lms')) as string, 60_000)).toBeUndefined();
    await backend.promote('lms');
    await backend.recover('lms', { ...policy, graceMs: 60_000 });
    await backend.claimParked('lms', [], { leaseMs: 60_000, most: 10 });
    for (const { id } of [waiting, scheduled, running, parked]) {
      const error = { code: 'COORD_ENVELOPE_UNREADABLE' };
      expect(await backend.job(id)).toMatchObject({ state: 'dead', outcome: 'unreadable', error });
    }
    expect(await backend.readQueue('lms')).toMatchObject({ depth: 0, deadLetters: 4 });
  });

  test('looks at parked jobs page by page, past those that stay', async () => {
    const jobs = Array.from({ length: 1_200 }, (_, i) => ({
      ...aJob(),
      envelope: JSON.stringify({
        v: 1,
        task: i % 2 ? 'lms.enrol' : 'lms.other',
        payloadVersion: 1,
        release: '1',
        trace: {},
      }),
    }));
    await backend.enqueue(jobs);
    const batch = { leaseMs: 60_000, token: randomUUID(), more: 2_000, again: false };
    const claims = await backend.claimBatch('lms', '', batch);
    await Promise.all(claims.map((claim) => backend.settle(claim, settlement('parked'))));
    const found: string[] = [];
    let [from, pages]: [number | undefined, number] = [0, 0];
    for (; from !== undefined; pages += 1) {
      const page = await backend.claimParked('lms', ['lms.enrol@1-1'], { leaseMs: 60_000, most: 100, from });
      expect(page.claims.length).toBeLessThanOrEqual(100);
      found.push(...page.claims.map(({ jobId }) => jobId));
      from = page.next;
    }
    expect(new Set(found)).toEqual(new Set(jobs.filter((_, i) => i % 2).map(({ id }) => id)));
    expect(found).toHaveLength(600);
    expect((await backend.readQueue('lms')).parked).toBe(600);
  });

  test('reads the newest thousand jobs of a subject unless told otherwise, and then the rest', async () => {
    const batch = Array.from({ length: 1_005 }, () => aJob({ subject: 'order:D-1001' }));
    await backend.enqueue(batch);
    const { items, next } = await backend.jobsOf('order:D-1001');
    expect(items.map(({ jobId }) => jobId)).toEqual(batch.slice(5).map(({ id }) => id));
    const rest = await backend.jobsOf('order:D-1001', { before: next });
    expect(rest).toMatchObject({ items: batch.slice(0, 5).map(({ id }) => ({ jobId: id })), next: undefined });
  });
});
