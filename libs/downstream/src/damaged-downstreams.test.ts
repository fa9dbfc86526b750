import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { RedisConnection } from '@coordinator/tasks';
import { privateRedis, RecordingLog } from '@coordinator/task-testing';
import { call, policyOf } from './fixtures/call-requests.ts';
import type { ProtectionPolicy } from './protection-policy.ts';
import { RedisDownstreams } from './redis-downstreams.ts';

let connection: RedisConnection;
let downstreams: RedisDownstreams;
let log: RecordingLog;
let keyPrefix: string;

afterEach(() => {
  downstreams.stop();
  connection.close();
});
const redis = privateRedis();

beforeEach(async () => {
  log = new RecordingLog();
  keyPrefix = redis.freshPrefix();
  connection = new RedisConnection({ url: redis.url, log });
  await connection.connect();
  downstreams = new RedisDownstreams({ connection, log, keyPrefix });
});

const ask = (policy: ProtectionPolicy, name = 'lms') => downstreams.acquire(name, call(), policy);

describe('damaged state', () => {
  const limited = policyOf({}, { maxConcurrent: 1 });
  const redisDo = (command: string, part: string, ...args: string[]) =>
    connection.command(command, `${keyPrefix}:downstream:lms${part}`, ...args);

  test.each(['', ':permits', ':probes'])('is told and put aside when lms%s is of another type', async (part) => {
    await redisDo('SET', part, 'garbage');
    // The one that meets it is on its own, and so is no call to another downstream.
    const met = part === ':probes' ? downstreams.report('lms', call(), 'failure', 0, limited) : ask(limited);
    expect((await met) || undefined).toBeUndefined();
    expect(await ask(limited, 'mail')).toEqual({ kind: 'granted', probe: false });
    expect(await ask(limited)).toEqual({ kind: 'granted', probe: false });
    expect(log.lines).toMatchObject([{ message: 'the state of a downstream is lost', fields: { downstream: 'lms' } }]);
    const aside = await connection.command('GET', `${keyPrefix}:unreadable:downstream:lms${part}`);
    expect(aside).toBe('garbage');
  });

  test.each(['openUntil', 'pausedUntil'])('holds no call up for longer than any %s of ours', async (field) => {
    for (const nonsense of ['1e300', 'inf', 'nan', '-5', 'garbage']) {
      await redisDo('HSET', '', field, nonsense);
      expect(await ask(policyOf())).toEqual({ kind: 'granted', probe: false });
    }
  });

  test('has no permit that nobody ever gives back', async () => {
    await redisDo('ZADD', ':permits', '+inf', 'garbage', '-inf', 'rubbish');
    expect(await ask(limited)).toEqual({ kind: 'granted', probe: false });
    expect(await ask(limited)).toMatchObject({ kind: 'refused', reason: 'concurrency' });
  });

  test('hides the breaker of no other downstream', async () => {
    await ask(policyOf());
    await ask(policyOf(), 'mail');
    await redisDo('DEL', '');
    await redisDo('SET', '', 'garbage');
    expect((await downstreams.readBreakers()).map(({ state }) => state)).toEqual(['closed', 'closed']);
  });
});
