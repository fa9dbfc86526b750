import { eventually, leakChecks, privateRedis } from '@coordinator/task-testing';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { aNote, aJob, dedupe, LONG_MS, settlement } from '../conformance/bench.ts';
import { freshBackend, type FreshBackend } from '../conformance/fresh-backend.ts';
import type { NewJob } from '../queue-backend.ts';
import { eraseSubject } from './erase-subject.ts';

const redis = privateRedis();
leakChecks();

let { backend, connection, prefix: keyPrefix, pop } = {} as FreshBackend;
beforeEach(async () => {
  ({ backend, connection, prefix: keyPrefix, pop } = await freshBackend(redis));
});
afterEach(async () => {
  // What stands in place of leases is none.
  await connection.command('FLUSHALL');
  connection.close();
});

const redisDo = (command: string, place: string, ...args: string[]) =>
  connection.command(command, `${keyPrefix}:${place}`, ...args);
const replace = async (place: string) => {
  await redisDo('DEL', place);
  await redisDo(place.startsWith('key:') || /:(kept|graced)$/.test(place) ? 'RPUSH' : 'SET', place, 'garbage');
};
const places = async () => ((await connection.command('KEYS', `${keyPrefix}:*`)) as string[]).sort();
const take = async (queue = 'lms') => backend.claim(queue, (await pop(queue)) as string, LONG_MS);
const damaged = { code: 'COORD_INDEX_DAMAGED' };
const wrongType = expect.objectContaining({ message: expect.stringMatching(/^WRONGTYPE/) });

describe('what stands in place of an index', () => {
  const belonging: [what: string, place: string, job: Partial<NewJob>][] = [
    ['the timeline of its subject', 'subject:order:D-1001', { subject: 'order:D-1001' }],
    ['its lane', 'lane:refunds', { lane: 'refunds' }],
    ['the key that it comes under', 'key:lms.enrol:k1', { dedupe: dedupe('k1') }],
    ['the jobs that wait', 'q:lms:waiting', {}],
    ['the jobs that are due later', 'q:lms:delayed', {}],
  ];

  test.each(belonging)('refuses a job whole when it is %s', async (_what, place, job) => {
    await replace(place);
    const before = await places();
    await expect(backend.enqueue([aJob(), aJob(job)])).rejects.toMatchObject(damaged);
    expect(await places()).toEqual(before);
  });

  test('refuses a key of which nobody can tell whose it is, and no other', async () => {
    await backend.enqueue([aJob({ dedupe: dedupe('k1') })]);
    for (const junk of ['garbage', 'gar bage\u0001', ' same', '\u00e9\u00e8 x']) {
      await redisDo('SET', 'key:lms.enrol:k1', junk);
      await expect(backend.enqueue([aJob({ dedupe: dedupe('k1') })])).rejects.toMatchObject(damaged);
    }
    expect(await backend.enqueue([aJob({ dedupe: dedupe('k2') })])).toMatchObject([{ duplicate: false }]);
    expect(await backend.books('lms')).toMatchObject({ accepted: 2, waiting: 2, missing: 0 });
  });

  test.each(['q:lms:active', 'q:lms:leases', 'lane:refunds', 'key:lms.enrol:k1'])(
    'keeps an attempt from leaving children behind without an end, in place of %s',
    async (place) => {
      await backend.enqueue([aJob()]);
      const claim = await take();
      await replace(place);
      const children = [aJob(), aJob({ lane: 'refunds', dedupe: dedupe('k1') })];
      await expect(backend.settle(claim!, settlement('completed', { children }))).rejects.toThrow();
      for (const { id } of children) expect(await backend.job(id)).toBeUndefined();
      expect(await backend.job(claim!.jobId)).toMatchObject({ state: 'running' });
    },
  );

  test('spends no attempt of a job that cannot be given a lease', async () => {
    const job = aJob();
    await backend.enqueue([job]);
    await replace('q:lms:leases');
    await expect(take()).rejects.toEqual(wrongType);
    expect(await backend.job(job.id)).toMatchObject({ state: 'waiting', attempt: 0 });
  });

  test.each(['q:lms:counts', 'suspects', 'schedules', 'audit-log'])('holds up no job in place of %s', async (place) => {
    const job = aJob();
    await replace(place);
    await backend.enqueue([job]);
    expect(await backend.settle((await take())!, settlement('completed'))).toBe('settled');
    expect(await backend.job(job.id)).toMatchObject({ state: 'completed' });
  });

  test.each(['suspects', 'q:lms:kept', 'q:lms:graced', 'q:mail:kept'])(
    'keeps no worker from taking back the jobs of a dead one, in place of %s',
    async (place) => {
      const policy = { graceMs: LONG_MS, crashLimit: 3, outageMs: LONG_MS };
      await backend.enqueue([aJob({ queue: 'mail' })]);
      await take('mail');
      await redisDo(
        'ZADD',
        'q:mail:leases',
        '1',
        ((await redisDo('LRANGE', 'q:mail:active', '0', '0')) as string[])[0]!,
      );
      // Of another queue, at the head of the suspects.
      await redisDo('HSET', 'job:a', 'state', 'waiting', 'queue', 'mail', 'suspect', '1');
      await redisDo('RPUSH', 'suspects', 'a');
      const job = aJob();
      await backend.enqueue([job]);
      await take();
      await redisDo('SET', 'q:lms:kept', String(Date.now() + LONG_MS));
      await redisDo('ZADD', 'q:lms:leases', '1', job.id);
      await replace(place);
      const recover = () => backend.recover('lms', place.startsWith('q:lms') ? { ...policy, outageMs: 500 } : policy);
      // Leases may be extended once, as after an outage.
      await eventually(async () => expect(await recover()).toMatchObject([{ jobId: job.id, state: 'waiting' }]));
    },
  );

  test('does not hide how a queue stands when it is the record of its oldest job', async () => {
    const job = aJob();
    await backend.enqueue([job]);
    await replace(`job:${job.id}`);
    expect(await backend.readQueue('lms')).toMatchObject({ depth: 1, oldestAgeMs: 0 });
  });

  test('keeps nobody from erasing a subject when it is the record of one of its jobs', async () => {
    const [first, second] = [aJob({ subject: 'order:D-1001' }), aJob({ subject: 'order:D-1001' })];
    await backend.enqueue([first, second]);
    await replace(`job:${first.id}`);
    const erased = await eraseSubject(connection, { subject: 'order:D-1001', note: aNote('asked') }, { keyPrefix });
    expect(erased.map(({ action }) => action)).toEqual(['erased', 'cancelled']);
  });

  test('has a subject erased only when that can be recorded', async () => {
    const job = aJob({ subject: 'order:D-1001' });
    await backend.enqueue([job]);
    await replace('audit-log');
    const erasure = { subject: 'order:D-1001', note: aNote('asked') };
    await expect(eraseSubject(connection, erasure, { keyPrefix })).rejects.toEqual(wrongType);
    expect(await backend.job(job.id)).toMatchObject({ state: 'waiting' });
  });

  test('leaves a job that ends to be erased even where its lane cannot be left', async () => {
    const job = aJob({ subject: 'order:D-1001', lane: 'refunds', payload: '"ada"' });
    await backend.enqueue([job]);
    const claim = await take();
    await eraseSubject(connection, { subject: 'order:D-1001', note: aNote('asked') }, { keyPrefix });
    await replace('lane:refunds');
    await expect(backend.settle(claim!, settlement('dead'))).rejects.toEqual(wrongType);
    expect(await redisDo('HGET', `job:${job.id}`, 'payload')).toBeNull();
  });
});

test('an answer under a known key tells what can be told of a job whose record is damaged', async () => {
  const job = aJob({ dedupe: dedupe('k1') });
  await backend.enqueue([job]);
  await replace(`job:${job.id}`);
  const again = aJob({ id: randomUUID(), dedupe: dedupe('k1') });
  expect(await backend.enqueue([again])).toMatchObject([{ jobId: job.id, duplicate: true }]);
});
