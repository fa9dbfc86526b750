import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { RedisConnection } from '@coordinator/tasks';
import { eventually, privateRedis, RecordingLog } from '@coordinator/task-testing';
import { call, policyOf } from './fixtures/call-requests.ts';
import type { ProtectionPolicy } from './protection-policy.ts';
import { RedisDownstreams, type CallAnswer, type CallOutcome, type CallRequest } from './redis-downstreams.ts';

interface Worker {
  readonly connection: RedisConnection;
  readonly downstreams: RedisDownstreams;
}

let workers: Worker[];
let log: RecordingLog;
let keyPrefix: string;

afterEach(() =>
  workers.forEach(({ connection, downstreams }) => {
    downstreams.stop();
    connection.close();
  }),
);
const redis = privateRedis();

beforeEach(async () => {
  log = new RecordingLog();
  keyPrefix = redis.freshPrefix();
  workers = await Promise.all([newWorker(), newWorker()]);
});

async function newWorker(): Promise<Worker> {
  const connection = new RedisConnection({ url: redis.url, log });
  await connection.connect();
  return { connection, downstreams: new RedisDownstreams({ connection, log, keyPrefix }) };
}

const ask = (worker: number, policy: ProtectionPolicy, settings?: Partial<CallRequest>) =>
  workers[worker % 2]!.downstreams.acquire('lms', call(settings), policy) as Promise<CallAnswer>;

async function tell(worker: number, policy: ProtectionPolicy, outcome: CallOutcome, permit = '', pauseMs?: number) {
  const ended = call({ permit });
  expect(await workers[worker % 2]!.downstreams.report('lms', ended, outcome, pauseMs, policy)).toBe(true);
}

/** Opens the breaker with failures told by both workers in turn. */
async function open(policy: ProtectionPolicy): Promise<void> {
  for (let n = 0; n < policy.breaker.failures; n++) await tell(n, policy, 'failure');
}

/** Asks until a probe is granted. */
const probe = (policy: ProtectionPolicy, permit: string, leaseMs = 60_000) =>
  eventually(async () => expect(await ask(0, policy, { permit, leaseMs })).toEqual({ kind: 'granted', probe: true }));

const states = async () => (await workers[0]!.downstreams.readBreakers()).map(({ state }) => state);

describe('the circuit breaker', () => {
  test('opens for all workers at failures that one of them alone has not seen', async () => {
    const policy = policyOf();
    for (let n = 0; n < 4; n++) await tell(n, policy, 'failure');
    expect(await ask(0, policy)).toEqual({ kind: 'granted', probe: false });
    await tell(4, policy, 'failure');
    for (const worker of [0, 1]) {
      const answer = await ask(worker, policy);
      expect(answer).toMatchObject({ kind: 'refused', reason: 'open' });
      // What is left of 5 s a quarter more or less.
      expect('waitMs' in answer && answer.waitMs).toBeGreaterThan(3_000);
      expect('waitMs' in answer && answer.waitMs).toBeLessThan(6_500);
    }
    expect(await states()).toEqual(['open']);
    expect(await redis.command('PTTL', `${keyPrefix}:downstream:lms`)).toBeGreaterThan(3_600_000);
  });

  test('stays closed while more calls succeed than fail', async () => {
    const policy = policyOf();
    await ask(0, policy, { successes: 30 });
    for (let n = 0; n < 30; n++) await tell(n, policy, 'failure');
    expect(await ask(1, policy)).toMatchObject({ kind: 'refused', reason: 'open' });
    const other = await workers[0]!.downstreams.acquire('shop', call({ successes: 31 }), policy);
    expect(other).toMatchObject({ kind: 'granted' });
    for (let n = 0; n < 30; n++) {
      await workers[0]!.downstreams.report('shop', call(), 'failure', undefined, policy);
    }
    expect(await workers[1]!.downstreams.acquire('shop', call(), policy)).toMatchObject({ kind: 'granted' });
  });

  test('lets a bounded number of probes through, and one that succeeds closes it', async () => {
    const policy = policyOf({ openMs: 40, probes: 2 });
    await open(policy);
    await probe(policy, 'first');
    expect(await states()).toEqual(['half-open']);
    await probe(policy, 'second');
    const others = await Promise.all(Array.from({ length: 20 }, (_, n) => ask(n, policy)));
    expect(new Set(others.map((answer) => 'reason' in answer && answer.reason))).toEqual(new Set(['open']));

    await tell(1, policy, 'success', 'second');
    expect(await ask(0, policy)).toEqual({ kind: 'granted', probe: false });
    expect(await states()).toEqual(['closed']);
  });

  test('opens again for longer when its probe fails', async () => {
    const policy = policyOf({ openMs: 40, maxOpenMs: 100 });
    await open(policy);
    const openMs: number[] = [];
    for (let n = 0; n < 4; n++) {
      await probe(policy, `probe ${n}`);
      await tell(n, policy, 'failure', `probe ${n}`);
      openMs.push(Number(await redis.command('HGET', `${keyPrefix}:downstream:lms`, 'openMs')));
    }
    expect(openMs[0]).toBeGreaterThanOrEqual(60);
    expect(openMs[0]).toBeLessThanOrEqual(100);
    for (const ms of openMs.slice(1)) {
      expect(ms).toBeGreaterThanOrEqual(75);
      expect(ms).toBeLessThanOrEqual(125);
    }
  });

  test('is not held open by a prober that died', async () => {
    const policy = policyOf({ openMs: 40 });
    await open(policy);
    await probe(policy, 'dies', 150);
    expect(await ask(1, policy)).toMatchObject({ kind: 'refused', reason: 'open' });
    await probe(policy, 'next');
    // Whose time is over has no say.
    await tell(0, policy, 'success', 'dies');
    expect(await states()).toEqual(['half-open']);
    await tell(0, policy, 'success', 'next');
    expect(await states()).toEqual(['closed']);
  });

  test('does not listen to calls from before it opened', async () => {
    const policy = policyOf({ openMs: 40 });
    await open(policy);
    const openUntil = await redis.command('HGET', `${keyPrefix}:downstream:lms`, 'openUntil');
    await tell(0, policy, 'failure', 'late');
    await tell(1, policy, 'success', 'late');
    expect(await redis.command('HGET', `${keyPrefix}:downstream:lms`, 'openUntil')).toBe(openUntil);
  });

  test('is told once when it opens and when it closes', async () => {
    const policy = policyOf({ openMs: 40 });
    await open(policy);
    await Promise.all(Array.from({ length: 10 }, (_, n) => tell(n, policy, 'failure')));
    await probe(policy, 'probe');
    await tell(0, policy, 'failure', 'probe');
    await probe(policy, 'again');
    await tell(1, policy, 'success', 'again');
    expect(log.lines.map(({ level, message, fields }) => [level, message, fields])).toEqual([
      ['warn', 'circuit breaker opened: the jobs of this downstream wait', { downstream: 'lms' }],
      ['info', 'circuit breaker closed', { downstream: 'lms' }],
    ]);
  });

  test('has the jobs that it sends away come back one by one, from when it may be closed again', async () => {
    const policy = policyOf({ openMs: 1_000 });
    await open(policy);
    const startedAt = performance.now();
    const dueAt: number[] = [];
    for (let n = 0; n < 500; n++) {
      const answer = await ask(n, policy);
      if (answer.kind === 'refused') dueAt.push(performance.now() - startedAt + answer.waitMs);
    }
    // 10 ms apart, give or take what the answer was on its way; all of them while it was open.
    expect(dueAt).toHaveLength(500);
    expect(dueAt[0]).toBeGreaterThan(700);
    expect(dueAt[499]! - dueAt[0]!).toBeGreaterThan(4_900);
    expect(dueAt[499]! - dueAt[0]!).toBeLessThan(5_100);
  });
});

describe('a pause that one worker was asked for', () => {
  const pauseOf = async (policy: ProtectionPolicy) => {
    const answer = await ask(1, policy);
    expect(answer).toMatchObject({ kind: 'refused', reason: 'paused' });
    return 'waitMs' in answer ? answer.waitMs : NaN;
  };
  const endPause = () => redis.command('HSET', `${keyPrefix}:downstream:lms`, 'pausedUntil', '1', 'line:paused', '1');

  test('stops the calls of all of them, until it is over', async () => {
    const policy = policyOf();
    await tell(0, policy, 'success', '', 1_300);
    expect(await pauseOf(policy)).toBeGreaterThan(1_000);
    await eventually(async () => expect(await ask(1, policy)).toMatchObject({ kind: 'granted' }));
  });

  test('is not made shorter by a later one', async () => {
    const policy = policyOf();
    await tell(0, policy, 'success', '', 60_000);
    await tell(1, policy, 'success', '', 1);
    expect(await pauseOf(policy)).toBeGreaterThan(59_000);
  });

  test.each([0, 1, 1_000])(
    'for %i ms is one of a second, and doubles up to a minute while no call goes well',
    async (ms) => {
      const policy = policyOf();
      for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60]) {
        // Those that were under way when it began ask for it, too.
        for (let n = 0; n < 5; n++) await tell(n, policy, 'success', '', ms);
        const leftMs = await pauseOf(policy);
        expect(leftMs).toBeGreaterThan(seconds * 1_000 - 900);
        expect(leftMs).toBeLessThanOrEqual(seconds * 1_000 + 10);
        await endPause();
      }
    },
  );

  test.each([
    ['is told with the next one', (policy: ProtectionPolicy) => ask(0, policy, { successes: 1 })],
    ['is told by itself', (policy: ProtectionPolicy) => tell(0, policy, 'success')],
  ])('is short again after a call that went well, and %s', async (_how, succeed) => {
    const policy = policyOf();
    for (let n = 0; n < 5; n++) {
      await tell(n, policy, 'success', '', 0);
      await endPause();
    }
    await succeed(policy);
    await tell(0, policy, 'success', '', 0);
    expect(await pauseOf(policy)).toBeLessThanOrEqual(1_010);
  });

  test('is as long as it says where that is longer', async () => {
    const policy = policyOf();
    await tell(0, policy, 'success', '', 0);
    await endPause();
    await tell(0, policy, 'success', '', 30_000);
    expect(await pauseOf(policy)).toBeGreaterThan(29_000);
  });
});

describe('the concurrency limit', () => {
  const policy = policyOf({}, { maxConcurrent: 3 });

  test('holds over all workers, and a place given back is free', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => ask(n, policy, { permit: `c${n}` })));
    expect(answers.filter(({ kind }) => kind === 'granted')).toHaveLength(3);
    expect(await ask(0, policy)).toMatchObject({ kind: 'refused', reason: 'concurrency' });
    expect(await ask(0, policy, { patienceMs: 500 })).toMatchObject({ kind: 'later', reserved: false });
    await tell(1, policy, 'neutral', `c${answers.findIndex(({ kind }) => kind === 'granted')}`);
    expect(await ask(0, policy)).toMatchObject({ kind: 'granted' });
    expect(await ask(0, policy)).toMatchObject({ kind: 'refused', reason: 'concurrency' });
  });

  test('gives the share of a worker that died to the others', async () => {
    for (let n = 0; n < 3; n++) await ask(0, policy, { leaseMs: 150 });
    expect(await ask(1, policy)).toMatchObject({ kind: 'refused', reason: 'concurrency' });
    workers[0]!.connection.close();
    await eventually(async () => expect(await ask(1, policy)).toMatchObject({ kind: 'granted' }));
  });
});

describe('the rate limit', () => {
  test('spaces the calls of all workers: short waits are given out in order, long ones are sent away', async () => {
    const policy = policyOf({}, { ratePerSecond: 10, burst: 3 });
    const answers: CallAnswer[] = [];
    for (let n = 0; n < 20; n++) answers.push(await ask(n, policy, { patienceMs: 1_000 }));
    expect(answers.slice(0, 3).map(({ kind }) => kind)).toEqual(['granted', 'granted', 'granted']);
    const later = answers.filter((answer) => answer.kind === 'later');
    expect(later.length).toBeGreaterThanOrEqual(9);
    expect(later.length).toBeLessThanOrEqual(11);
    later.forEach(({ waitMs, reserved }, n) => {
      expect(reserved).toBe(true);
      expect(Math.abs(waitMs - (n + 1) * 100)).toBeLessThan(90);
    });
    expect(answers.at(-1)).toMatchObject({ kind: 'refused', reason: 'rate' });
    // A place that was given out is not paid for twice.
    expect(await ask(0, policy, { reserved: true })).toMatchObject({ kind: 'granted' });
  });
});

describe('the retry budget', () => {
  const policy = policyOf();
  const granted = async (count: number, settings: Partial<CallRequest>) => {
    let sum = 0;
    for (let n = 0; n < count; n++) if ((await ask(n, policy, settings)).kind === 'granted') sum++;
    return sum;
  };

  test('is a tenth of the first tries', async () => {
    expect(await granted(1_000, {})).toBe(1_000);
    const retries = await granted(300, { retry: true });
    expect(retries).toBeGreaterThanOrEqual(95);
    expect(retries).toBeLessThanOrEqual(100);
    expect(await ask(0, policy, { retry: true })).toMatchObject({ kind: 'refused', reason: 'retry-budget' });
    expect(await ask(0, policy)).toMatchObject({ kind: 'granted' });
  });

  test('is one per second for a quiet downstream', async () => {
    const retries = await granted(60, { retry: true });
    expect(retries).toBeGreaterThanOrEqual(29);
    expect(retries).toBeLessThanOrEqual(31);
  });
});

test('a call without a connection is told how long to wait, and takes nothing', async () => {
  const policy = policyOf({}, { maxConcurrent: 1 });
  expect(await ask(0, policy, { full: true })).toMatchObject({ kind: 'refused', reason: 'full' });
  expect(await ask(0, policy)).toMatchObject({ kind: 'granted' });
});

describe('a place that is held when Redis is slow to answer', () => {
  const policy = policyOf({}, { maxConcurrent: 1 });
  const missAnAnswer = async () => {
    redis.server.pause();
    const answer = await ask(0, policy).finally(() => redis.server.resume());
    expect(answer).toBeUndefined();
  };

  test('is free again as soon as its call has ended', async () => {
    await ask(0, policy, { permit: 'held' });
    await missAnAnswer();
    await tell(0, policy, 'neutral', 'held');
    expect(await ask(1, policy)).toMatchObject({ kind: 'granted' });
  });

  test('is given back where it was granted too late for its call', async () => {
    await missAnAnswer();
    await eventually(async () => expect(await ask(1, policy)).toMatchObject({ kind: 'granted' }));
  });

  test('counts as a failure although no answer was waited for just before', async () => {
    const strict = policyOf({ failures: 1 });
    await missAnAnswer();
    await tell(0, strict, 'failure');
    expect(await ask(1, strict)).toMatchObject({ kind: 'refused', reason: 'open' });
  });
});

describe('how a call ended, when Redis refuses to hear it,', () => {
  const policy = policyOf({}, { maxConcurrent: 1 });
  const refuse = (how: '0' | '1') => redis.command('CONFIG', 'SET', 'min-replicas-to-write', how);
  const refused = async () => expect(await redis.command('INFO', 'errorstats')).toMatch(/errorstat_NOREPLICAS/);
  beforeEach(() => redis.command('CONFIG', 'RESETSTAT'));
  afterEach(() => refuse('0'));

  test('is told again until it does', async () => {
    await ask(0, policy, { permit: 'held' });
    await refuse('1');
    const told = workers[0]!.downstreams.report('lms', call({ permit: 'held' }), 'neutral', undefined, policy);
    await eventually(refused);
    await refuse('0');
    expect(await told).toBe(true);
    expect(await ask(1, policy)).toMatchObject({ kind: 'granted' });
  });

  test('is told until its place is lost anyway, and no longer', async () => {
    await refuse('1');
    const ended = call({ leaseMs: 500 });
    expect(await workers[0]!.downstreams.report('lms', ended, 'failure', undefined, policy)).toBe(false);
  });

  test('is not told any more by a process that stops', async () => {
    await refuse('1');
    const told = workers[0]!.downstreams.report('lms', call(), 'failure', undefined, policy);
    await eventually(refused);
    workers[0]!.downstreams.stop();
    expect(await told).toBe(false);
  });
});

describe('while Redis', () => {
  test.each([
    ['is down', () => redis.server.kill(), () => redis.server.restart()],
    ['hangs', async () => redis.server.pause(), async () => redis.server.resume()],
  ])('%s, nobody waits for it for long, and it is asked again when it is back', async (_what, strike, heal) => {
    const policy = policyOf();
    await ask(0, policy);
    await strike();
    try {
      const startedAt = performance.now();
      for (let n = 0; n < 100; n++) expect(await ask(0, policy)).toBeUndefined();
      expect(performance.now() - startedAt).toBeLessThan(900);
    } finally {
      await heal();
    }
    await eventually(async () => expect(await ask(0, policy)).toMatchObject({ kind: 'granted' }));
  });
});
