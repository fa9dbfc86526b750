import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { leakChecks, privateRedis } from '@coordinator/task-testing';
import type { Claim } from '@coordinator/tasks';
import { randomUUID } from 'node:crypto';
import { ADMIN_TOKENS, startAdmin, type Admin, type RunningAdmin } from '../fixtures/running-admin.ts';

const redis = privateRedis();
leakChecks(redis);

let prefix: string;
let admin: RunningAdmin;
beforeEach(async () => {
  prefix = redis.freshPrefix();
  admin = await startAdmin({ redisUrl: redis.url, prefix });
});
afterEach(() => admin.close());

interface Asked {
  readonly by?: Admin;
  readonly body?: unknown;
}

// What an answer holds is what these tests are about.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Answer = { readonly status: number; readonly body: any };

async function ask(path: string, { by = 'alice', body }: Asked = {}): Promise<Answer> {
  const answer = await fetch(`${admin.url}/admin/v1${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      authorization: `Bearer ${ADMIN_TOKENS[by].secret}`,
      connection: 'close',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: await answer.json() };
}

const why = 'ticket 17';
const QUEUE = 'open-edx-lms';

/** Accepts a job; returns its id. */
async function accept({ subject = 'order:D-1001', task = 'lms.enrol', queue = QUEUE } = {}): Promise<string> {
  const envelope = { v: 1, task, payloadVersion: 1, release: '1.0.0', trace: {}, subject, caller: 'shop' };
  const id = randomUUID();
  const payload = JSON.stringify({ username: 'ada', email: 'ada@example.test' });
  const job = { id, task, queue, subject, payload, delayMs: 0, lane: undefined, dedupe: undefined };
  await admin.backend.enqueue([{ ...job, envelope: JSON.stringify(envelope) }]);
  return id;
}

async function take(queue = QUEUE): Promise<Claim> {
  const [claim] = await admin.backend.claimBatch(queue, '', {
    ...{ leaseMs: 60_000, token: randomUUID(), more: 1, again: false },
  });
  if (!claim) throw new Error('nothing waits');
  return claim;
}

async function end(
  claim: Claim,
  state: 'dead' | 'completed',
  outcome: string = state,
  code = 'COORD_DOWNSTREAM_REFUSED',
) {
  const error = state === 'dead' ? JSON.stringify({ code, message: 'no such course' }) : undefined;
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  await admin.backend.settle(claim, {
    ...{ state, outcome, error, attemptReport: traceparent, children: [], delayMs: 0, spendsAttempt: true },
  });
}

/** Makes a dead letter; returns its id. */
async function die(outcome = 'permanent', options: Parameters<typeof accept>[0] = {}, code?: string): Promise<string> {
  const jobId = await accept(options);
  await end(await take(options?.queue), 'dead', outcome, code);
  return jobId;
}

const idsOf = ({ body }: Answer): string[] => body.items.map(({ jobId }: { jobId: string }) => jobId);

/** Reads a list to its end; returns the pages. */
async function pagesOf(path: string): Promise<string[][]> {
  const pages: string[][] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: Answer = await ask(`${path}${cursor === '' ? '' : `&cursor=${cursor}`}`);
    expect(page.status).toBe(200);
    pages.push(idsOf(page));
    cursor = page.body.cursor;
  }
  return pages;
}

describe('a job', () => {
  test('is cancelled with a reason, and the audit log tells by whom', async () => {
    const jobId = await accept();
    const cancelled = await ask(`/jobs/${jobId}/cancel`, { by: 'operator', body: { why } });
    expect(cancelled).toEqual({ status: 200, body: { jobId, before: 'waiting', after: 'cancelled' } });
    expect(await admin.backend.job(jobId)).toMatchObject({ state: 'cancelled', error: { message: why } });
    expect(await admin.audited()).toMatchObject([
      {
        ...{ by: 'operator', action: 'cancel', object: `job:${jobId}`, why, before: 'waiting', after: 'cancelled' },
        ...{ requestId: expect.stringMatching(/^[0-9a-f]{32}$/), release: '1.2.3' },
      },
    ]);
    expect(admin.log.lines).toMatchObject([{ message: 'cancelled a job', fields: { jobId, by: 'operator', why } }]);
  });

  test('is shown with what it holds to those who may see that, once the audit log has it', async () => {
    const jobId = await accept();
    const claim = await take();
    await admin.backend.saveStep(claim, 'find', '{"userId":7}');
    await end(claim, 'dead');

    const seen = (await ask(`/jobs/${jobId}`, { by: 'reader' })).body;
    expect(seen).toMatchObject({
      ...{ jobId, task: 'lms.enrol', queue: QUEUE, state: 'dead', subject: 'order:D-1001', attempt: 1, crashed: 0 },
      error: { code: 'COORD_DOWNSTREAM_REFUSED', message: 'no such course' },
      attempts: [{ attempt: 1, traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' }],
      steps: [{ name: 'find', finishedAt: expect.stringMatching(/Z$/) }],
      firstStartedAt: expect.stringMatching(/Z$/),
    });
    expect(JSON.stringify(seen)).not.toMatch(/ada|userId/);
    expect(await admin.audited()).toEqual([]);
    expect((await ask(`/jobs/${jobId}?payload=false`)).body).toEqual(seen);
    expect(await admin.audited()).toEqual([]);

    const whole = (await ask(`/jobs/${jobId}?why=ticket%2017`)).body;
    expect(whole).toMatchObject({ payload: { username: 'ada' }, steps: [{ name: 'find', result: { userId: 7 } }] });
    expect(await admin.audited()).toMatchObject([{ by: 'alice', action: 'view-payload', object: `job:${jobId}`, why }]);
  });

  test('is not shown while the audit log cannot be written', async () => {
    const jobId = await accept();
    await redis.command('SET', `${prefix}:audit-log`, 'no stream');
    const refused = await ask(`/jobs/${jobId}`);
    expect(refused).toMatchObject({ status: 500, body: { code: 'COORD_INTERNAL' } });
    expect(JSON.stringify(refused)).not.toContain('ada');
    expect((await ask(`/jobs/${jobId}`, { by: 'reader' })).status).toBe(200);
  });

  test.each(['', '?payload=false'])('that is none is not found: %s', async (query) => {
    for (const id of [randomUUID(), 'x'.repeat(256), '%0a', '__proto__', '*']) {
      expect((await ask(`/jobs/${id}${query}`)).body).toMatchObject({ status: 404, code: 'COORD_NOT_FOUND' });
      expect((await ask(`/jobs/${id}/cancel`, { body: { why } })).status).toBe(404);
      expect((await ask(`/dead-letters/${id}/replay`, { body: { why } })).status).toBe(404);
    }
    expect(await admin.audited()).toEqual([]);
  });
});

describe('the list of jobs', () => {
  test('holds those about a subject, whoever has sent them, page by page', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 3; i += 1) ids.push(await accept());
    await accept({ subject: 'order:D-2' });
    expect(await pagesOf('/jobs?subject=order:D-1001&limit=2')).toEqual([ids.slice(1), ids.slice(0, 1)]);
    expect(await pagesOf('/jobs?subject=order:D-1001&state=dead')).toEqual([[]]);
    expect(await pagesOf('/jobs?subject=order:D-1001&task=lms.enrol')).toEqual([ids]);
  });

  test('holds those in a state, over all queues, the oldest first', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 5; i += 1) ids.push(await accept({ queue: i < 4 ? QUEUE : 'segment' }));
    expect(await pagesOf('/jobs?state=waiting&limit=3')).toEqual([ids.slice(0, 3), ids.slice(3)]);
    expect((await pagesOf(`/jobs?state=waiting&queue=${QUEUE}`)).flat()).toEqual(ids.slice(0, 4));
    expect((await pagesOf('/jobs?state=waiting&task=lms.unenrol')).flat()).toEqual([]);
    const claim = await take();
    expect((await pagesOf('/jobs?state=running')).flat()).toEqual(ids.slice(0, 1));
    await end(claim, 'completed');
  });

  test.each([
    '',
    '?state=completed',
    '?state=lost',
    '?task=lms.enrol',
    '?state=waiting&tasks=x',
    '?state=waiting&limit=201',
  ])('refuses %s', async (query) => {
    expect((await ask(`/jobs${query}`)).body).toMatchObject({ status: 400, code: 'COORD_QUERY_INVALID' });
  });
});

describe('dead letters', () => {
  test('are listed newest first, those that fit', async () => {
    const [first, spent, other] = [await die(), await die('attempts-spent'), await die('permanent', {}, 'LMS_AWAY')];
    expect(await pagesOf('/dead-letters?limit=2')).toEqual(
      [[other, spent], [first], []].filter(({ length }) => length > 0),
    );
    expect(idsOf(await ask('/dead-letters?outcome=attempts-spent'))).toEqual([spent]);
    expect(idsOf(await ask('/dead-letters?code=LMS_AWAY'))).toEqual([other]);
    expect(idsOf(await ask(`/dead-letters?task=lms.enrol&queue=${QUEUE}`))).toEqual([other, spent, first]);
    expect(idsOf(await ask('/dead-letters?task=lms.unenrol'))).toEqual([]);
    expect((await ask('/dead-letters?limit=1')).body.items[0]).toMatchObject({
      ...{ task: 'lms.enrol', queue: QUEUE, attempts: 1, outcome: 'permanent' },
      error: { code: 'LMS_AWAY', message: 'no such course' },
    });
  });

  test('are begun anew one by one, once', async () => {
    const jobId = await die();
    const replayed = { jobId, before: 'dead', after: 'waiting', refused: null };
    expect((await ask(`/dead-letters/${jobId}/replay`, { body: { why } })).body).toEqual(replayed);
    const again = { ...replayed, before: 'waiting' };
    expect((await ask(`/dead-letters/${jobId}/replay`, { body: { why } })).body).toEqual(again);
    expect(await admin.audited()).toMatchObject([
      { by: 'alice', action: 'replay', object: `job:${jobId}`, why, before: 'dead', after: 'waiting' },
    ]);
    expect(admin.log.lines).toMatchObject([
      { message: 'replayed a dead letter', fields: { jobId, task: 'lms.enrol' } },
    ]);
  });

  test('are begun anew by filter, the oldest first, and the answer says which were not and why', async () => {
    const [first, erased, spent, last] = [await die(), await die(), await die('gave-up'), await die()];
    await redis.command('HSET', `${prefix}:job:${erased}`, 'erasedAt', '1');
    const filter = { why, queue: QUEUE, outcome: 'permanent' };
    const looked = await ask('/dead-letters/replay', { body: { ...filter, dryRun: true } });
    expect(idsOf(looked)).toEqual([first, erased, last]);
    expect(await admin.audited()).toEqual([]);

    const page = await ask('/dead-letters/replay', { body: { ...filter, limit: 2 } });
    expect(page.body.items).toMatchObject([
      { jobId: first, before: 'dead', after: 'waiting', refused: null },
      { jobId: erased, before: 'dead', after: 'dead', refused: 'erased' },
    ]);
    // It fails again before the next page is asked for, and is not taken for one of those that were meant.
    await end(await take(), 'dead', 'permanent');
    const next = await ask('/dead-letters/replay', { body: { ...filter, limit: 2, cursor: page.body.cursor } });
    expect([idsOf(next), next.body.cursor]).toEqual([[last], null]);
    expect(await admin.backend.job(first)).toMatchObject({ state: 'dead' });
    expect(await admin.backend.job(spent)).toMatchObject({ state: 'dead' });
    expect((await admin.audited()).map(({ object }) => object)).toEqual([`job:${last}`, `job:${first}`]);
  });

  test.each([
    [{}, 'why'],
    [{ why }, 'queue'],
    [{ why: '', queue: QUEUE }, 'why'],
    [{ why: 'x'.repeat(501), queue: QUEUE }, 'why'],
    [{ why, queue: QUEUE, tasks: 'lms.enrol' }, ''],
    [{ why, queue: QUEUE, limit: 101 }, 'limit'],
  ])('are not replayed by %j', async (body, fault) => {
    const jobId = await die();
    const refused = await ask('/dead-letters/replay', { body });
    expect(refused).toMatchObject({ status: 422, body: { code: 'COORD_BODY_INVALID' } });
    expect(JSON.stringify(refused.body.errors)).toContain(fault);
    expect(await admin.backend.job(jobId)).toMatchObject({ state: 'dead' });
  });
});

describe('a subject', () => {
  test('is erased, and whoever only looks changes nothing', async () => {
    const [dead, waiting] = [await die(), await accept()];
    const erase = (more: object) => ask('/subjects/order:D-1001/erase', { by: 'operator', body: { why, ...more } });
    const seen = await erase({ dryRun: true });
    expect(await admin.audited()).toEqual([]);
    const done = await erase({});
    expect(done).toEqual(seen);
    expect(done.body.items).toMatchObject([
      { jobId: dead, task: 'lms.enrol', state: 'dead', action: 'erased' },
      { jobId: waiting, state: 'waiting', action: 'cancelled' },
    ]);
    expect(await admin.audited()).toMatchObject([
      {
        action: 'erase',
        object: 'subject:order:D-1001',
        by: 'operator',
        why,
        after: 'erased 1, cancelled 1, at-end 0',
      },
    ]);
    expect(admin.log.lines).toMatchObject([{ message: 'erased a subject', fields: { subject: 'order:D-1001' } }]);
    expect((await ask('/subjects/order:D-2/erase', { body: { why } })).body).toEqual({ items: [], cursor: null });
  });

  test('that is to be forgotten stands in no log', async () => {
    await accept({ subject: 'customer:ada' });
    await ask('/subjects/customer:ada/erase', { body: { why, forgetSubject: true } });
    expect(JSON.stringify([await admin.audited(), admin.log.lines])).not.toContain('ada');
  });
});

test('queues are told with what is in them', async () => {
  await accept();
  await die();
  const { items } = (await ask('/queues')).body;
  expect(items.map(({ queue }: { queue: string }) => queue)).toEqual(expect.arrayContaining([QUEUE, 'segment']));
  expect((await ask(`/queues?queue=${QUEUE}`)).body.items).toMatchObject([
    { queue: QUEUE, depth: 1, accepted: 2, states: { waiting: 1, dead: 1, running: 0 }, missing: 0 },
  ]);
});

test('the audit log is read page by page, the newest first', async () => {
  for (let i = 0; i < 3; i += 1) await ask(`/jobs/${await accept()}/cancel`, { body: { why: `ticket ${i}` } });
  const first = (await ask('/audit-log?limit=2', { by: 'reader' })).body;
  const last = (await ask(`/audit-log?limit=2&cursor=${first.cursor}`)).body;
  const whys = ({ items }: { items: { why: string }[] }) => items.map((record) => record.why);
  expect([whys(first), whys(last), last.cursor]).toEqual([['ticket 2', 'ticket 1'], ['ticket 0'], null]);
  expect(first.items[0]).toMatchObject({ at: expect.stringMatching(/Z$/), by: 'alice', before: 'waiting' });
});

test.each(['/audit-log', '/dead-letters', '/jobs?state=waiting', '/jobs?subject=order:D-1001'])(
  '%s refuses a cursor that is none of its own',
  async (path) => {
    const cursors = ['', '0', 'AAAA', '*', '..', 'bm9uZQ', 'bm9uZQo1', 'MQoyCjMKNA', 'A'.repeat(1_000), '__proto__'];
    for (const cursor of cursors) {
      const { body } = await ask(`${path}${path.includes('?') ? '&' : '?'}cursor=${cursor}`);
      expect([cursor, body.code]).toEqual([cursor, 'COORD_QUERY_INVALID']);
    }
  },
);
