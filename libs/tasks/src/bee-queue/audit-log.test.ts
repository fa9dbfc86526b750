import { privateRedis } from '@coordinator/task-testing';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { auditText } from '../audit-note.ts';
import { aJob, aNote, LONG_MS, settlement } from '../conformance/bench.ts';
import { freshBackend, type FreshBackend } from '../conformance/fresh-backend.ts';
import { AuditLog, type AuditRecord } from './audit-log.ts';
import { eraseSubject } from './erase-subject.ts';

const redis = privateRedis();
let { backend, connection, prefix, pop } = {} as FreshBackend;
let log: AuditLog;
beforeEach(async () => {
  ({ backend, connection, prefix, pop } = await freshBackend(redis));
  log = new AuditLog(connection, prefix);
});
afterEach(() => connection.close());

/** Accepts a job; returns its id. */
async function accept(subject?: string): Promise<string> {
  const job = aJob({ subject });
  await backend.enqueue([job]);
  return job.id;
}

const take = async () => (await backend.claim('lms', (await pop('lms')) ?? '', LONG_MS))!;
/** The log, newest first. */
const written = async (): Promise<readonly AuditRecord[]> => (await log.read({ limit: 100 })).items;

describe('the audit log', () => {
  test('tells who has cancelled what, why and when, and in which state it was', async () => {
    const [[seconds]] = [(await connection.command('TIME')) as [string]];
    const jobId = await accept();
    await backend.cancel(jobId, aNote('order was withdrawn'));
    const [record, ...others] = await written();
    expect(record).toEqual({
      ...{ id: expect.stringMatching(/^\d+-\d+$/), atMs: expect.any(Number), action: 'cancel', object: `job:${jobId}` },
      ...{ by: 'alice', why: 'order was withdrawn', requestId: 'r1', release: '1.0.0' },
      ...{ before: 'waiting', after: 'cancelled' },
    });
    expect(record?.atMs).toBeGreaterThanOrEqual(Number(seconds) * 1_000);
    expect(others).toEqual([]);
  });

  test('tells that a running job was told to stop', async () => {
    const jobId = await accept();
    await take();
    await backend.cancel(jobId, aNote());
    expect(await written()).toMatchObject([{ object: `job:${jobId}`, before: 'running', after: 'running' }]);
  });

  test('tells of a replay once, whoever repeats it', async () => {
    const jobId = await accept();
    await backend.settle(await take(), settlement('dead'));
    await Promise.all([backend.replay(jobId, aNote()), backend.replay(jobId, aNote())]);
    expect(await written()).toMatchObject([
      { action: 'replay', object: `job:${jobId}`, before: 'dead', after: 'waiting' },
    ]);
  });

  test('does not tell of what changed nothing', async () => {
    const jobId = await accept('order:D-1');
    await backend.settle(await take(), settlement('completed'));
    await backend.cancel(jobId, aNote());
    await backend.replay(jobId, aNote());
    await backend.cancel('nobody', aNote());
    await backend.replay('nobody', aNote());
    const erasure = { note: aNote(), subject: 'order:D-1' };
    await eraseSubject(connection, { ...erasure, dryRun: true }, { keyPrefix: prefix });
    await eraseSubject(connection, { ...erasure, subject: 'order:D-2' }, { keyPrefix: prefix });
    expect(await written()).toEqual([]);
  });

  test('lets nothing be changed where it cannot be written', async () => {
    const dead = await accept('order:D-1');
    await backend.settle(await take(), settlement('dead'));
    const waiting = await accept('order:D-1');
    await connection.command('SET', `${prefix}:audit-log`, 'no stream');
    const erasure = { subject: 'order:D-1', note: aNote() };
    await expect(backend.cancel(waiting, aNote())).rejects.toThrow('WRONGTYPE');
    await expect(backend.replay(dead, aNote())).rejects.toThrow('WRONGTYPE');
    await expect(eraseSubject(connection, erasure, { keyPrefix: prefix })).rejects.toThrow('WRONGTYPE');
    expect([(await backend.job(waiting))?.state, (await backend.job(dead))?.state]).toEqual(['waiting', 'dead']);
  });

  test('is read page by page, from the newest', async () => {
    for (const object of ['job:1', 'job:2', 'job:3']) await log.add('view-payload', object, aNote());
    const first = await log.read({ limit: 2 });
    const last = await log.read({ limit: 2, before: first.next });
    expect([first, last].map(({ items }) => items.map(({ object }) => object))).toEqual([
      ['job:3', 'job:2'],
      ['job:1'],
    ]);
    expect(last.next).toBeUndefined();
  });

  test('forgets what is older than four years, and nothing else', async () => {
    const [seconds] = (await connection.command('TIME')) as [string];
    const years = (count: number) => `${Number(seconds) * 1_000 - count * 365 * 24 * LONG_MS}-0`;
    for (const id of [years(5), years(3)]) await connection.command('XADD', `${prefix}:audit-log`, id, 'by', 'bob');
    // Redis trims whole nodes of a hundred records.
    for (let i = 0; i < 100; i += 1) await log.add('refuse', 'GET /admin/v1/queues', aNote());
    expect((await log.read({ limit: 200 })).items.map(({ id }) => id)).toContain(years(3));
  });
});

test.each([
  ['an e-mail address', 'asked by ada@example.test', 'asked by [redacted]'],
  ['a card number', 'card 4111 1111 1111 1111', 'card [redacted]'],
  ['what a terminal obeys', 'a\u001b[31mb\r\nc\u202ed', 'a\\u001b[31mb\\u000d\\u000ac\\u202ed'],
  ['more than is kept', 'x'.repeat(600), 'x'.repeat(500)],
])('no reason brings %s into the log', (_name, why, kept) => {
  expect(auditText(why)).toBe(kept);
});
