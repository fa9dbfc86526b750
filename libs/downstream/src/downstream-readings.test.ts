import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { RedisConnection } from '@coordinator/tasks';
import { privateRedis, RecordingLog } from '@coordinator/task-testing';
import { readDownstreams } from './downstream-readings.ts';
import { defaultBreaker, type ProtectionPolicy } from './protection-policy.ts';
import { RedisDownstreams } from './redis-downstreams.ts';

const redis = privateRedis();
let connection: RedisConnection;
let downstreams: RedisDownstreams;
let keyPrefix: string;
beforeEach(async () => {
  const log = new RecordingLog();
  keyPrefix = redis.freshPrefix();
  connection = new RedisConnection({ url: redis.url, log });
  await connection.connect();
  downstreams = new RedisDownstreams({ connection, log, keyPrefix });
});
afterEach(() => connection.close());

const policy: ProtectionPolicy = {
  ...{ ratePerSecond: undefined, burst: 1, maxConcurrent: undefined },
  breaker: { ...defaultBreaker, failures: 2 },
};

async function call(name: string, settings: Partial<ProtectionPolicy> = {}, permit = 'p1') {
  const asked = { permit, leaseMs: 60_000, successes: 0, retry: false, full: false, patienceMs: 0, reserved: false };
  return downstreams.acquire(name, asked, { ...policy, ...settings });
}

const report = (name: string, outcome: 'success' | 'failure', pauseMs?: number) =>
  downstreams.report(name, { permit: 'p1', leaseMs: 60_000, successes: 0 }, outcome, pauseMs, policy);
const read = () => readDownstreams(connection, keyPrefix);

describe('how downstreams stand', () => {
  test('is told of those that were called, by name', async () => {
    expect(await read()).toEqual([]);
    await call('stripe');
    await call('lms');
    await report('lms', 'success');
    const quiet = { openUntilMs: undefined, pausedUntilMs: undefined, nextCallAtMs: undefined, sentAwayUntilMs: {} };
    expect(await read()).toEqual([
      {
        ...{ ...quiet, name: 'lms', breaker: 'closed', inFlight: 0 },
        recent: { tries: 1, retries: 0, successes: 1, failures: 0 },
      },
      {
        ...{ ...quiet, name: 'stripe', breaker: 'closed', inFlight: 0 },
        recent: { tries: 1, retries: 0, successes: 0, failures: 0 },
      },
    ]);
  });

  test('tells since when a breaker is open, and when those come back that were sent away', async () => {
    for (let i = 0; i < 2; i += 1) {
      await call('lms');
      await report('lms', 'failure');
    }
    await call('lms');
    const [lms] = await read();
    expect(lms).toMatchObject({ breaker: 'open', openUntilMs: expect.any(Number) });
    expect(lms?.sentAwayUntilMs.open).toBeGreaterThanOrEqual(lms?.openUntilMs ?? Infinity);
  });

  test('tells of pauses, of the rate and of calls in flight', async () => {
    await call('lms', { ratePerSecond: 0.01, maxConcurrent: 5 });
    await call('mail', { maxConcurrent: 5 }, 'p2');
    await report('lms', 'failure', 60_000);
    const [lms, mail] = await read();
    expect(lms).toMatchObject({ pausedUntilMs: expect.any(Number), nextCallAtMs: expect.any(Number), inFlight: 0 });
    expect(mail).toMatchObject({ pausedUntilMs: undefined, nextCallAtMs: undefined, inFlight: 1 });
  });

  test('tells no time that is over', async () => {
    await call('lms');
    const over = ['openUntil', '1000', 'pausedUntil', '1000', 'tat', '1000', 'line:rate', '1000'];
    await connection.command('HSET', `${keyPrefix}:downstream:lms`, ...over);
    const none = { openUntilMs: undefined, pausedUntilMs: undefined, nextCallAtMs: undefined, sentAwayUntilMs: {} };
    expect(await read()).toMatchObject([{ ...none, breaker: 'half-open' }]);
  });

  test('leaves out those that nobody has called lately', async () => {
    await call('lms');
    await connection.command('DEL', `${keyPrefix}:downstream:lms`);
    expect(await read()).toEqual([]);
  });

  test('tells of those that an older release has called, from the next call on', async () => {
    await connection.command('HSET', `${keyPrefix}:downstream:lms`, 'openUntil', '0', 'tries', '1');
    await call('lms');
    expect((await read()).map(({ name }) => name)).toEqual(['lms']);
  });
});
