import { privateRedis } from '@coordinator/task-testing';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { decodeEnvelope } from '../envelope.ts';
import { aNote } from '../conformance/bench.ts';
import { freshBackend, type FreshBackend } from '../conformance/fresh-backend.ts';
import type { Claim, NewJob, Settlement } from '../queue-backend.ts';
import { eraseSubject, type ErasureRequest } from './erase-subject.ts';

const CANARY = 'ada@canary.test';
const SUBJECT = 'customer:ada';
const LONG_MS = 3_600_000;
const RETENTION = { completedMs: 60_000, deadMs: LONG_MS };

const redis = privateRedis();
let { backend, connection, prefix, pop } = {} as FreshBackend;
beforeEach(async () => {
  ({ backend, connection, prefix, pop } = await freshBackend(redis));
});
afterEach(() => connection.close());

const erase = (more: Partial<ErasureRequest> = {}) =>
  eraseSubject(
    connection,
    { subject: SUBJECT, note: aNote('request 17'), ...more },
    { keyPrefix: prefix, retention: RETENTION },
  );

function aJob(more: Partial<NewJob> = {}): NewJob {
  const subject = more.subject ?? SUBJECT;
  const envelope = { v: 1, task: 'mail.send', payloadVersion: 1, release: '1.0.0', trace: {}, subject };
  return {
    ...{ id: randomUUID(), task: 'mail.send', queue: 'mail', subject, delayMs: 0, lane: undefined, dedupe: undefined },
    ...{ envelope: JSON.stringify(envelope), payload: JSON.stringify({ to: CANARY }) },
    ...more,
  };
}

function settlement(state: Settlement['state'], more: Partial<Settlement> = {}): Settlement {
  const failed = state === 'dead' || state === 'scheduled';
  const error = failed ? JSON.stringify({ code: 'COORD_HANDLER_FAILED', message: `no ${CANARY}` }) : undefined;
  return {
    ...{ state, outcome: state, delayMs: LONG_MS, spendsAttempt: true, error, attemptReport: undefined },
    ...{ children: [], ...more },
  };
}

/** Accepts a job and begins an attempt with a step. */
async function running(job: NewJob = aJob(), leaseMs = LONG_MS): Promise<Claim> {
  await backend.enqueue([job]);
  const claim = (await backend.claim('mail', (await pop('mail')) as string, leaseMs)) as Claim;
  await backend.saveStep(claim, 'find', JSON.stringify(CANARY));
  return claim;
}
async function ended(state: Settlement['state'], job?: NewJob): Promise<string> {
  const claim = await running(job);
  await backend.settle(claim, settlement(state));
  return claim.jobId;
}

/** Every key and all that it holds. */
async function dump(): Promise<Record<string, unknown>> {
  const reads = { hash: ['HGETALL'], string: ['GET'], list: ['LRANGE', '0', '-1'], zset: ['ZRANGE', '0', '-1'] };
  const keys = ((await connection.command('KEYS', `${prefix}:*`)) as string[]).sort();
  const entries = keys.map(async (key) => {
    const type = (await connection.command('TYPE', key)) as keyof typeof reads | 'stream';
    const [read, ...range] = type === 'stream' ? ['XRANGE', '-', '+'] : reads[type];
    const held = await connection.command(read as string, key, ...range);
    // The fields of a hash have no order.
    return [key, type === 'hash' ? pairs(held as string[]) : held] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}
const pairs = (flat: string[]) => Object.fromEntries(flat.flatMap((name, i) => (i % 2 ? [] : [[name, flat[i + 1]]])));
const counts = async () => pairs((await connection.command('HGETALL', `${prefix}:q:mail:counts`)) as string[]);

describe('erasing a subject', () => {
  test('takes the content of jobs that have ended, cancels those that have not begun, and leaves all others alone', async () => {
    const completed = await ended('completed');
    const dead = await ended('dead');
    const scheduled = await ended('scheduled');
    const parked = await ended('parked');
    const waiting = aJob();
    const other = aJob({ subject: 'customer:eve', payload: '{"to":"eve@other.test"}' });
    await backend.enqueue([waiting, other]);
    await backend.enqueue([aJob({ delayMs: LONG_MS })]);

    const found = await erase();
    expect(found.map(({ state, action }) => [state, action])).toEqual([
      ...[
        ['completed', 'erased'],
        ['dead', 'erased'],
        ['scheduled', 'cancelled'],
        ['parked', 'cancelled'],
      ],
      ...[
        ['waiting', 'cancelled'],
        ['scheduled', 'cancelled'],
      ],
    ]);
    expect(found.every(({ task }) => task === 'mail.send')).toBe(true);

    const left = await dump();
    expect(JSON.stringify(left)).not.toContain(CANARY);
    expect(Object.keys(left).filter((key) => key.includes(':q:'))).toEqual(
      [':q:mail:counts', ':q:mail:dead', ':q:mail:waiting'].map((key) => prefix + key),
    );
    expect(left[`${prefix}:q:mail:waiting`]).toEqual([other.id]);
    expect(await counts()).toEqual({ accepted: '7', completed: '1', dead: '1', cancelled: '4' });
    // What is left is the proof: which jobs there were, what became of them and when.
    expect((await backend.jobsOf(SUBJECT)).items.map(({ state, outcome }) => [state, outcome])).toEqual([
      ...[
        ['completed', 'completed'],
        ['dead', 'dead'],
      ],
      ...Array<string[]>(4).fill(['cancelled', 'erased']),
    ]);
    expect(await backend.job(dead)).toMatchObject({ error: { code: 'COORD_HANDLER_FAILED', message: 'erased' } });
    expect((await backend.job(completed))?.steps).toMatchObject([{ name: 'find', result: undefined }]);
    for (const id of [scheduled, parked, waiting.id]) {
      const leftMs = Number(await connection.command('PTTL', `${prefix}:job:${id}`));
      expect([leftMs > 0, leftMs <= RETENTION.completedMs]).toEqual([true, true]);
    }
  });

  test('cancels what stands in a lane, and lets the jobs of others in it go on', async () => {
    const other = aJob({ subject: 'customer:eve', lane: 'l' });
    await backend.enqueue([aJob({ lane: 'l' }), aJob({ lane: 'l' }), other, aJob({ lane: 'l' })]);
    const found = await erase();
    expect(found.map(({ state, action }) => [state, action])).toEqual([
      ['waiting', 'cancelled'],
      ['waiting', 'cancelled'],
      ['blocked', 'cancelled'],
    ]);
    expect(await connection.command('LRANGE', `${prefix}:lane:l`, '0', '-1')).toEqual([other.id]);
    expect(await backend.job(other.id)).toMatchObject({ state: 'waiting' });
  });

  test('done again finds nothing to do and changes nothing', async () => {
    await ended('dead');
    await backend.enqueue([aJob()]);
    await erase();
    const before = await dump();
    expect((await erase()).map(({ action }) => action)).toEqual(['done-before', 'done-before']);
    expect(await dump()).toEqual(before);
  });

  test('only to look tells the same and changes nothing', async () => {
    await ended('dead');
    const claim = await running();
    await backend.enqueue([aJob()]);
    const before = await dump();
    const seen = await erase({ dryRun: true });
    expect(await dump()).toEqual(before);
    expect(await erase()).toEqual(seen);
    expect(seen.at(1)).toEqual({ jobId: claim.jobId, task: 'mail.send', state: 'running', action: 'at-end' });
  });

  test('keeps the idempotency key and not the fingerprint, so that no repeated webhook brings the data back', async () => {
    const dedupe = { key: 'mail.send:evt_1', fingerprint: 'telltale', windowMs: LONG_MS };
    const job = aJob({ dedupe });
    await backend.enqueue([job]);
    await erase();
    expect(await connection.command('GET', `${prefix}:key:${dedupe.key}`)).toBe(`${job.id} `);
    expect(Number(await connection.command('PTTL', `${prefix}:key:${dedupe.key}`))).toBeGreaterThan(0);
    for (const fingerprint of ['telltale', 'another']) {
      const again = await backend.enqueue([aJob({ dedupe: { ...dedupe, fingerprint } })]);
      expect(again).toMatchObject([{ jobId: job.id, state: 'cancelled', duplicate: true }]);
    }
  });

  test('is remembered: why, by whom, when and how much', async () => {
    await ended('completed');
    await running();
    await backend.enqueue([aJob()]);
    await erase();
    const [[, told]] = (await connection.command('XRANGE', `${prefix}:audit-log`, '-', '+')) as [[string, string[]]];
    expect(pairs(told)).toEqual({
      ...{ by: 'alice', why: 'request 17', requestId: 'r1', release: '1.0.0', action: 'erase' },
      ...{ object: `subject:${SUBJECT}`, before: '', after: 'erased 1, cancelled 1, at-end 1' },
    });
  });
});

describe('a job that runs while its subject is erased', () => {
  test.each(['completed', 'cancelled', 'dead'] as const)('loses its content when it ends as %s', async (state) => {
    const claim = await running();
    await erase();
    expect(await backend.heartbeat('mail', [claim], LONG_MS)).toEqual([]);
    await backend.saveStep(claim, 'send', JSON.stringify(CANARY));
    expect(await backend.settle(claim, settlement(state))).toBe('settled');
    expect(await backend.job(claim.jobId)).toMatchObject({ state });
    expect(JSON.stringify(await dump())).not.toContain(CANARY);
  });

  test.each(['scheduled', 'parked'] as const)('does not run again when it would be %s', async (state) => {
    const claim = await running();
    await erase();
    expect(await backend.settle(claim, settlement(state))).toBe('settled');
    expect(await backend.job(claim.jobId)).toMatchObject({ state: 'cancelled', outcome: 'erased' });
    const left = await dump();
    expect(JSON.stringify(left)).not.toContain(CANARY);
    expect(Object.keys(left).filter((key) => key.includes(':q:'))).toEqual([`${prefix}:q:mail:counts`]);
    expect(await counts()).toEqual({ accepted: '1', cancelled: '1' });
  });

  test('does not run again when its worker dies', async () => {
    const claim = await running(aJob(), 1);
    await erase();
    await connection.command('ZADD', `${prefix}:q:mail:leases`, '1', claim.jobId);
    const policy = { graceMs: LONG_MS, crashLimit: 3 };
    expect(await backend.recover('mail', policy)).toMatchObject([{ jobId: claim.jobId, state: 'cancelled' }]);
    expect(JSON.stringify(await dump())).not.toContain(CANARY);
    expect(await counts()).toEqual({ accepted: '1', cancelled: '1' });
  });

  test('has its children about the same subject cancelled, and no others', async () => {
    const claim = await running();
    await erase();
    const children = [aJob(), aJob({ subject: 'stock:1', payload: '{}' }), aJob({ delayMs: LONG_MS })];
    await backend.settle(claim, settlement('completed', { children }));
    const states = await Promise.all(children.map(async ({ id }) => (await backend.job(id))?.state));
    expect(states).toEqual(['cancelled', 'waiting', 'cancelled']);
    expect(JSON.stringify(await dump())).not.toContain(CANARY);
    expect(await counts()).toEqual({ accepted: '4', completed: '1', cancelled: '2' });
  });
});

test('the subject itself is forgotten where that is asked for, also by jobs that run, and after an erasure that kept it', async () => {
  const ids = [await ended('completed'), await ended('dead')];
  await erase();
  const claim = await running();
  await backend.enqueue([aJob()]);
  await erase({ forgetSubject: true });
  await backend.settle(claim, settlement('completed', { children: [aJob({ payload: '{}' })] }));

  const { [`${prefix}:audit-log`]: log, ...left } = await dump();
  expect(JSON.stringify(left)).not.toContain(SUBJECT);
  expect(JSON.stringify((log as unknown[])[1])).not.toContain(SUBJECT);
  const [job] = await Promise.all(ids.map((id) => backend.job(id)));
  expect(decodeEnvelope(job?.envelope ?? '')).toMatchObject({ task: 'mail.send', payloadVersion: 1, trace: {} });
});

test.each([false, true])(
  'a subject with many jobs is erased to the last one (subject forgotten: %s)',
  async (forgetSubject) => {
    const jobs = Array.from({ length: 401 }, () => aJob());
    await backend.enqueue(jobs);
    const seen = await erase({ forgetSubject, dryRun: true });
    const done = await erase({ forgetSubject });
    expect(done.map(({ jobId, action }) => [jobId, action])).toEqual(jobs.map(({ id }) => [id, 'cancelled']));
    expect(done).toEqual(seen);
    expect(await counts()).toEqual({ accepted: '401', cancelled: '401' });
    expect(JSON.stringify(await dump())).not.toContain(CANARY);
    expect(await erase({ forgetSubject })).toHaveLength(forgetSubject ? 0 : 401);
  },
);

describe('the timeline by which a subject is erased', () => {
  const timeline = () => `${prefix}:subject:${SUBJECT}`;
  const leftMs = async () => Number(await connection.command('PTTL', timeline()));
  const A_DAY_MS = 24 * LONG_MS;

  test('stays longer than a job waits that is put off', async () => {
    await backend.enqueue([aJob({ delayMs: 60 * A_DAY_MS })]);
    expect(await leftMs()).toBeGreaterThan(60 * A_DAY_MS);
    const claim = await running();
    await backend.settle(claim, settlement('scheduled', { delayMs: 90 * A_DAY_MS }));
    expect(await leftMs()).toBeGreaterThan(90 * A_DAY_MS);
  });

  test('stays for a year with a job that nobody can read', async () => {
    await backend.settle(await running(), settlement('parked'));
    expect(await leftMs()).toBeGreaterThan(365 * A_DAY_MS);
  });

  test('stays no shorter when another job comes, or a dead letter is replayed', async () => {
    const dead = await ended('dead');
    await connection.command('PEXPIRE', timeline(), String(91 * A_DAY_MS));
    await backend.enqueue([aJob()]);
    await backend.replay(dead, aNote());
    expect(await leftMs()).toBeGreaterThan(90 * A_DAY_MS);
  });

  test('does not grow with jobs whose records have gone', async () => {
    for (let n = 0; n < 300; n++) {
      const job = aJob();
      await backend.enqueue([job]);
      await connection.command('DEL', `${prefix}:job:${job.id}`);
    }
    expect(Number(await connection.command('LLEN', timeline()))).toBeLessThan(60);
  });

  test('gets shorter while a long erasure goes on, and none is left out', async () => {
    const gone = Array.from({ length: 60 }, () => aJob());
    const jobs = Array.from({ length: 60 }, () => aJob());
    await backend.enqueue([...gone, ...jobs]);
    for (const { id } of gone) await connection.command('DEL', `${prefix}:job:${id}`);
    const erasing = erase();
    await backend.enqueue(Array.from({ length: 40 }, () => aJob({ payload: '{}' })));
    await erasing;
    const left = await Promise.all(jobs.map(({ id }) => backend.job(id)));
    expect(new Set(left.map((job) => job?.state))).toEqual(new Set(['cancelled']));
  });
});

describe('what is damaged', () => {
  test.each([false, true])(
    'goes as well, and keeps no other job from being erased (subject forgotten: %s)',
    async (forgetSubject) => {
      const [first, second, third] = [aJob(), aJob(), aJob()];
      await backend.enqueue([first, second, third]);
      await connection.command('SET', `${prefix}:job:${first.id}`, CANARY);
      await connection.command('HDEL', `${prefix}:job:${second.id}`, 'state');
      await connection.command('SET', `${prefix}:unreadable:${third.id}`, CANARY);
      const found = await erase({ forgetSubject });
      expect(found.map(({ action }) => action)).toEqual(['erased', 'erased', 'cancelled']);
      expect(JSON.stringify(await dump())).not.toContain(CANARY);
    },
  );
});

test('why a subscription made no payload goes, and with the subject the name of its lane', async () => {
  const fault = (subject: string) =>
    JSON.stringify({ ...decodeEnvelope(aJob().envelope), fault: `no ${CANARY}`, subject });
  const [kept, forgotten] = ['customer:kept', SUBJECT];
  const lane = 'customer:lane';
  const jobs = [kept, forgotten].map((subject) => aJob({ subject, lane, payload: '{}', envelope: fault(subject) }));
  await backend.enqueue(jobs);
  await erase({ subject: kept });
  await erase({ subject: forgotten, forgetSubject: true });
  const left = JSON.stringify(await dump());
  expect(left).not.toContain(CANARY);
  expect((await backend.job(jobs[0]!.id))?.envelope).toContain('erased');
  const fields = (await connection.command('HKEYS', `${prefix}:job:${jobs[1]!.id}`)) as string[];
  expect(fields).not.toContain('lane');
});
