import { Secret } from '@coordinator/config';
import { silentLogger } from '@coordinator/logging';
import { leakChecks, privateRedis } from '@coordinator/task-testing';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import { PayloadCipher } from '../payload-cipher.ts';
import type { NewJob } from '../queue-backend.ts';
import { describeQueueBackend } from '../queue-backend-conformance.ts';
import { RedisBackend } from './redis-backend.ts';
import { RedisConnection } from './redis-connection.ts';

const redis = privateRedis();
leakChecks();

let connection: RedisConnection;
let prefix: string;
let backend: RedisBackend;
beforeEach(async () => {
  connection = new RedisConnection({ url: redis.url, log: silentLogger });
  await connection.connect();
  prefix = redis.freshPrefix();
  backend = new RedisBackend(connection, prefix);
});
afterEach(() => connection.close());

/** What bee-queue's BRPOPLPUSH does, without waiting. */
async function pop(queue: string): Promise<string | undefined> {
  const [waiting, active] = [`${prefix}:q:${queue}:waiting`, `${prefix}:q:${queue}:active`];
  return ((await connection.command('RPOPLPUSH', waiting, active)) as string | null) ?? undefined;
}

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
  describeQueueBackend(name, async () => ({
    backend: new RedisBackend(connection, prefix, cipher),
    pop,
    advance,
    payloadOf: async (jobId) => {
      const stored = (await connection.command('HGET', `${prefix}:job:${jobId}`, 'payload')) as string | null;
      return stored === null ? undefined : cipher.decrypt(stored, { jobId, field: 'payload' });
    },
  }));
}

function aJob(): NewJob {
  const envelope = JSON.stringify({ v: 1, task: 'lms.enrol', payloadVersion: 1, release: '1.0.0', trace: {} });
  const unset = { subject: undefined, dedupe: undefined };
  return { id: randomUUID(), task: 'lms.enrol', queue: 'lms', envelope, payload: '{}', delayMs: 0, ...unset };
}

describe('RedisBackend beyond what memory can do', () => {
  const policy = { crashLimit: 3, keepMs: 60_000 };

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
    expect(await backend.recover('lms', { ...policy, graceMs: 60_000 })).toEqual([{ jobId: job.id, state: 'waiting' }]);
    expect(await pop('lms')).toBe(job.id);
    expect(await connection.command('HEXISTS', `${prefix}:job:${job.id}`, 'crashes')).toBe(0);
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
    await backend.enqueue([aJob(), { ...aJob(), delayMs: 1 }]);
    await advance(3);
    await backend.promote('lms');
    for (let id = await pop('lms'); id !== undefined; id = await pop('lms')) {
      const claim = await backend.claim('lms', id, 60_000);
      const done = {
        state: 'completed',
        outcome: 'completed',
        delayMs: 0,
        spendsAttempt: true,
        keepMs: 60_000,
      } as const;
      await backend.settle(claim!, { ...done, error: undefined, attemptReport: undefined, children: [] });
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
    const attempt = new RedisBackend(impatient, prefix).enqueue([aJob()]);
    await expect(attempt).rejects.toMatchObject({
      code: 'COORD_QUEUE_UNAVAILABLE',
      message: expect.stringContaining('the job may be stored'),
    });
    redis.server.resume();
    impatient.close();
    expect(await backend.enqueue([aJob()])).toMatchObject([{ state: 'waiting' }]);
  });

  test('claims further waiting jobs with a popped one, and all of them again when the answer was lost', async () => {
    await backend.enqueue(Array.from({ length: 5 }, aJob));
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
});
