import { leakChecks, privateRedis } from '@coordinator/task-testing';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { audit } from '../audit/audit.ts';
import { aJob, settlement } from '../conformance/bench.ts';
import { freshBackend, type FreshBackend } from '../conformance/fresh-backend.ts';

const redis = privateRedis();
leakChecks();

let { backend, connection, prefix, pop } = {} as FreshBackend;
beforeEach(async () => {
  ({ backend, connection, prefix, pop } = await freshBackend(redis));
});
afterEach(() => connection.close());

const KEEP = { crashLimit: 3, graceMs: 60_000 };

/** A lease of a claim that is over at once. */
const endLease = (queue: string, jobId: string) =>
  connection.command('ZADD', `${prefix}:q:${queue}:leases`, '1', jobId);

test('gives nothing back that was taken by others meanwhile', async () => {
  const job = aJob();
  await backend.enqueue([job]);
  await pop('lms');
  await endLease('lms', job.id);
  await backend.recover('lms', KEEP);
  const claim = await backend.claim('lms', (await pop('lms')) as string, 60_000);
  await backend.release('lms', job.id);
  expect(await backend.job(job.id)).toMatchObject({ state: 'running' });
  expect((await audit(connection, { keyPrefix: prefix })).faults).toEqual([]);
  expect(await backend.settle(claim!, settlement('completed'))).toBe('settled');
});

test('counts the crashes that a release before has noted, and none that are none', async () => {
  const job = aJob();
  await backend.enqueue([job]);
  const crashedAfter = async (attempt: string, ...fields: string[]) => {
    await connection.command('HSET', `${prefix}:job:${job.id}`, 'attempt', attempt, ...fields);
    const claim = await backend.claim('lms', (await pop('lms')) as string, 60_000);
    await endLease('lms', job.id);
    await backend.recover('lms', { ...KEEP, crashLimit: 9 });
    return claim?.crashed;
  };
  expect(await crashedAfter('3', 'crashes', '2')).toBe(2);
  expect(await crashedAfter('7')).toBe(3);
  // The release before has taken it back twice since.
  expect(await crashedAfter('7', 'crashed', '1', 'crashes', '4')).toBe(4);
  expect(await crashedAfter('7', 'crashed', 'random bytes', 'crashes', '')).toBe(0);
  expect(await crashedAfter('2', 'crashed', '1000000')).toBe(2);
});

test('lets a suspect go whose queue nobody keeps, for the sake of the others', async () => {
  const [lost, other] = [{ ...aJob(), queue: 'nobody' }, aJob()];
  await backend.enqueue([lost, other]);
  for (const queue of ['nobody', 'lms']) {
    for (let crash = 0; crash < 2; crash++) {
      const jobId = (await pop(queue)) as string;
      await backend.claim(queue, jobId, 60_000);
      await endLease(queue, jobId);
      await backend.recover(queue, KEEP);
    }
  }
  expect(await backend.job(other.id)).toMatchObject({ state: 'blocked' });
  await connection.command('SET', `${prefix}:q:nobody:kept`, '1');
  await backend.recover('lms', KEEP);
  expect([(await backend.job(lost.id))?.state, (await backend.job(other.id))?.state]).toEqual(['waiting', 'waiting']);
});
