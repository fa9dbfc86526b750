import { privateRedis } from '@coordinator/task-testing';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { audit } from '../audit/audit.ts';
import { aJob, aNote, settlement } from '../conformance/bench.ts';
import { freshBackend, type FreshBackend } from '../conformance/fresh-backend.ts';
import type { NewJob } from '../queue-backend.ts';
import { eraseSubject } from './erase-subject.ts';

const redis = privateRedis();
let { backend, connection, prefix, pop } = {} as FreshBackend;
beforeEach(async () => {
  ({ backend, connection, prefix, pop } = await freshBackend(redis));
});
afterEach(() => connection.close());

describe('RedisBackend, of dead letters', () => {
  /** Makes a dead letter; returns its id. */
  async function die(overrides: Partial<NewJob> = {}): Promise<string> {
    const job = aJob(overrides);
    await backend.enqueue([job]);
    const claim = await backend.claim(job.queue, (await pop(job.queue)) as string, 60_000);
    await backend.settle(claim!, settlement('dead', { outcome: 'permanent' }));
    return job.id;
  }

  test.each(['newest', 'oldest'] as const)(
    'lists dead letters page by page, each once, the %s first',
    async (first) => {
      const ids: string[] = [];
      for (let i = 0; i < 7; i += 1) ids.push(await die({ queue: i % 3 ? 'lms' : 'mail' }));
      // The same millisecond for four of them.
      for (const id of ids.slice(1, 5)) {
        const queue = (await connection.command('HGET', `${prefix}:job:${id}`, 'queue')) as string;
        await connection.command('ZADD', `${prefix}:q:${queue}:dead`, '1000', id);
      }
      const queues = ['lms', 'mail', 'empty'];
      for (const limit of [1, 2, 3, 100]) {
        const listed: string[] = [];
        for (let after, begins = true; begins || after; begins = false) {
          const page = await backend.deadLetters({ queues, first, after, limit });
          listed.push(...page.items.map(({ jobId }) => jobId));
          after = page.next;
        }
        const [begin, end] = first === 'newest' ? [3, 7] : [0, 4];
        expect(listed.slice(begin, end).sort()).toEqual(ids.slice(1, 5).sort());
        expect(new Set(listed)).toEqual(new Set(ids));
        expect(listed).toHaveLength(7);
      }
      const { items } = await backend.deadLetters({ queues: ['mail'] });
      expect(items[0]).toMatchObject({ queue: 'mail', task: 'lms.enrol', attempt: 1, outcome: 'permanent' });
      expect((await backend.deadLetters({ queues, first, untilMs: 1_000 })).items).toHaveLength(4);
    },
  );

  test('lists no dead letter that has expired or was replayed', async () => {
    const [expired, replayed, dead] = [await die(), await die(), await die()];
    await connection.command('DEL', `${prefix}:job:${expired}`);
    await backend.replay(replayed, aNote());
    // As if that had been between the reading of the index and of the record.
    await connection.command('ZADD', `${prefix}:q:lms:dead`, '1000', replayed);
    expect((await backend.deadLetters({ queues: ['lms'] })).items).toMatchObject([{ jobId: dead }]);
  });

  test('keeps the record of a replayed job as long as it lives, its timeline longer, and the books balanced', async () => {
    const subject = 'order:D-1001';
    const jobId = await die({ subject, envelope: JSON.stringify({ ...JSON.parse(aJob().envelope), subject }) });
    const timeline = `${prefix}:subject:order:D-1001`;
    await connection.command('PEXPIRE', timeline, '60000');
    expect(await connection.command('PTTL', `${prefix}:job:${jobId}`)).toBeGreaterThan(0);
    await backend.replay(jobId, aNote());
    expect(await connection.command('PTTL', `${prefix}:job:${jobId}`)).toBe(-1);
    expect(await connection.command('PTTL', timeline)).toBeGreaterThan(30 * 24 * 3_600_000);
    expect(await audit(connection, { keyPrefix: prefix })).toMatchObject({
      balanced: true,
      queues: [{ accepted: 1, waiting: 1, dead: 0 }],
    });
  });

  test('replays nothing that was erased, or of which nothing is left to run', async () => {
    const [erased, buried] = [await die({ subject: 'order:D-1001' }), randomUUID()];
    await eraseSubject(connection, { subject: 'order:D-1001', note: aNote('request 17') }, { keyPrefix: prefix });
    await connection.command('LPUSH', `${prefix}:q:lms:waiting`, buried);
    expect(await backend.claim('lms', (await pop('lms')) as string, 60_000)).toBeUndefined();
    const stays = { before: 'dead', after: 'dead' };
    expect(await backend.replay(erased, aNote())).toEqual({ ...stays, refused: 'erased' });
    expect(await backend.replay(buried, aNote())).toEqual({ ...stays, refused: 'incomplete' });
    expect((await backend.readQueue('lms')).deadLetters).toBe(2);
  });
});
