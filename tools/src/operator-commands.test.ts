import { silentLogger } from '@coordinator/logging';
import { freePort, leakChecks, privateRedis, RecordingLog } from '@coordinator/task-testing';
import { type NewJob, PayloadCipher, RedisBackend, RedisConnection } from '@coordinator/tasks';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Secret } from '@coordinator/config';
import { randomBytes, randomUUID } from 'node:crypto';
import { auditCommand } from './audit-command.ts';
import { cancelCommand } from './cancel-command.ts';
import { deadLettersCommand } from './dead-letters-command.ts';
import { eraseCommand } from './erase-command.ts';
import { replayCommand } from './replay-command.ts';

const redis = privateRedis();
leakChecks();

let connection: RedisConnection;
let backend: RedisBackend;
let said: string[];
const say = (text: string) => void said.push(text);
beforeEach(async () => {
  said = [];
  process.env.REDIS_URL = redis.url;
  connection = new RedisConnection({ url: redis.url, log: silentLogger });
  await connection.connect();
  backend = new RedisBackend(connection);
});
afterEach(async () => {
  delete process.env.REDIS_URL;
  await connection.command('FLUSHALL');
  connection.close();
});

async function accept(queue = 'lms', subject?: string): Promise<string> {
  const unset = { lane: undefined, dedupe: undefined };
  const job: NewJob = {
    id: randomUUID(),
    task: 'lms.enrol',
    queue,
    envelope: JSON.stringify({ v: 1, task: 'lms.enrol' }),
    payload: '{}',
    delayMs: 0,
    subject,
    ...unset,
  };
  await backend.enqueue([job]);
  return job.id;
}

/** Makes a dead letter; returns its id. */
async function die(queue = 'lms', outcome = 'permanent', by = backend): Promise<string> {
  const jobId = await accept(queue);
  const batch = { leaseMs: 60_000, token: randomUUID(), more: 1, again: false };
  const [claim] = await by.claimBatch(queue, '', batch);
  const error = JSON.stringify({ code: 'COORD_DOWNSTREAM_REFUSED', message: 'no such\n\u001b[31mcourse' });
  const unset = { attemptReport: undefined, children: [], delayMs: 0, spendsAttempt: true };
  await by.settle(claim!, { state: 'dead', outcome, error, ...unset });
  return jobId;
}

describe('npm run audit', () => {
  test('prints the books of each queue, and that they balance', async () => {
    await accept();
    await accept('mail');
    expect(await auditCommand([], say)).toBe(0);
    expect(said.join()).toMatch(/queue +accepted +waiting.*\n +lms +1 +1 .*\n +mail +1 +1 /);
    expect(said.join()).toContain('The books balance.');
  });

  test('names what is wrong, and ends with 1 until it is repaired', async () => {
    const jobId = await accept();
    await connection.command('DEL', '{cc}:q:lms:waiting');
    expect(await auditCommand([], say)).toBe(1);
    expect(said.join()).toContain(`wrong  ${jobId} is waiting and not in q:lms:waiting`);
    expect(said.join()).toContain('lms: 1 accepted that no index holds.');
    expect(await auditCommand(['--repair'], say)).toBe(0);
    expect(said.at(-1)).toContain(`repaired  ${jobId} is waiting and not in q:lms:waiting`);
    expect(await auditCommand(['--json'], say)).toBe(0);
    expect(JSON.parse(said.at(-1) ?? '')).toMatchObject({ balanced: true, faults: [], queues: [{ waiting: 1 }] });
  });

  test('says when no Redis can be had, and which options there are', async () => {
    const port = await freePort();
    process.env.REDIS_URL = `redis://127.0.0.1:${port}`;
    await expect(auditCommand([], say)).rejects.toThrow(`No Redis answers at 127.0.0.1:${port} within 5 s`);
    await expect(auditCommand(['--fix'], say)).rejects.toThrow("Unknown option '--fix'");
    expect(await auditCommand(['--help'], say)).toBe(0);
    expect(said.join()).toContain('Usage: npm run audit');
  });
});

describe('npm run cancel', () => {
  const why = ['--why', 'order was withdrawn'];

  test('ends a job that waits, and keeps the reason', async () => {
    const jobId = await accept();
    expect(await cancelCommand([jobId, ...why], say)).toBe(0);
    expect(said).toEqual([`${jobId}: waiting → cancelled`, 'It will not run.']);
    expect(await backend.job(jobId)).toMatchObject({ state: 'cancelled', error: { message: 'order was withdrawn' } });
  });

  test('says that a running job is told, and may still complete', async () => {
    const jobId = await accept();
    const batch = { leaseMs: 60_000, token: randomUUID(), more: 1, again: false };
    const [claim] = await backend.claimBatch('lms', '', batch);
    expect(await cancelCommand([jobId, ...why], say)).toBe(0);
    expect(said.join()).toContain(`${jobId}: running → running`);
    expect(said.join()).toContain('within 2 s');
    const unset = { error: undefined, attemptReport: undefined, children: [], delayMs: 0, spendsAttempt: true };
    await backend.settle(claim!, { state: 'completed', outcome: 'completed', ...unset });
    expect(await cancelCommand([jobId, ...why], say)).toBe(1);
    expect(said.at(-1)).toBe('It had ended before: it stays completed.');
  });

  test('says when there is no such job, and what it needs', async () => {
    expect(await cancelCommand(['nobody', ...why], say)).toBe(1);
    expect(said).toEqual(['There is no job nobody: it was never accepted here, or its record has expired.']);
    await expect(cancelCommand(['nobody'], say)).rejects.toThrow('A job id and a reason are needed.');
    await expect(cancelCommand(why, say)).rejects.toThrow('A job id and a reason are needed.');
  });
});

describe('npm run dead-letters', () => {
  test('says when there are none', async () => {
    await accept();
    expect(await deadLettersCommand([], say)).toBe(0);
    expect(said).toEqual(['There are no such dead letters.']);
  });

  test('lists them with what went wrong, a line each', async () => {
    const jobId = await die();
    expect(await deadLettersCommand([], say)).toBe(0);
    expect(said.join()).toMatch(
      new RegExp(
        `job .*\\n  ${jobId}  lms.enrol  lms +20.*Z  1 +permanent  COORD_DOWNSTREAM_REFUSED no such \\[31mcourse$`,
      ),
    );
    expect(await deadLettersCommand(['--json'], say)).toBe(0);
    const attempts = 1;
    expect(JSON.parse(said.at(-1) ?? '')).toMatchObject([
      {
        jobId,
        task: 'lms.enrol',
        queue: 'lms',
        attempts,
        outcome: 'permanent',
        error: { code: 'COORD_DOWNSTREAM_REFUSED' },
      },
    ]);
  });

  test('lists those that fit, of all queues the newest first, and says when there are more', async () => {
    const [mail, spent, newest] = [await die('mail'), await die('lms', 'attempts-spent'), await die()];
    const listed = async (...args: string[]) => {
      expect(await deadLettersCommand(['--json', ...args], say)).toBe(0);
      return (JSON.parse(said.at(-1) ?? '') as { jobId: string }[]).map(({ jobId }) => jobId);
    };
    expect(new Set(await listed())).toEqual(new Set([newest, spent, mail]));
    expect(await listed('--queue', 'mail')).toEqual([mail]);
    expect(await listed('--outcome', 'attempts-spent')).toEqual([spent]);
    expect(await listed('--task', 'lms.unenrol')).toEqual([]);
    expect(await deadLettersCommand(['--limit', '2'], say)).toBe(0);
    expect(said.at(-1)).toContain('There are more than these 2: --limit N shows them.');
    await expect(deadLettersCommand(['--limit', 'all'], say)).rejects.toThrow('--limit is a number from 1 on');
  });

  test('shows encrypted messages to those who have the keys', async () => {
    const key = randomBytes(32).toString('base64');
    const cipher = new PayloadCipher(new Map([['k1', new Secret(key)]]));
    await die('lms', 'permanent', new RedisBackend(connection, { cipher }));
    await deadLettersCommand([], say);
    expect(said.at(-1)).toContain('COORD_DOWNSTREAM_REFUSED The message is encrypted with a key');
    process.env.PAYLOAD_KEYS = `k1=${key}`;
    try {
      await deadLettersCommand([], say);
      expect(said.at(-1)).toContain('COORD_DOWNSTREAM_REFUSED no such');
    } finally {
      delete process.env.PAYLOAD_KEYS;
    }
  });
});

describe('npm run replay', () => {
  const why = ['--why', 'the course exists by now'];
  let log: RecordingLog;
  beforeEach(() => void (log = new RecordingLog()));

  test('begins one anew, says so to the log, and does it once', async () => {
    const jobId = await die();
    expect(await replayCommand([jobId, ...why], say, log)).toBe(0);
    expect(said).toEqual([`${jobId}: dead → waiting`, '1 of 1 replayed.']);
    expect(log.lines).toMatchObject([
      { message: 'replayed a dead letter', fields: { jobId, task: 'lms.enrol', why: 'the course exists by now' } },
    ]);
    expect(await backend.job(jobId)).toMatchObject({ state: 'waiting', attempt: 0 });
    expect(await replayCommand([jobId, ...why], say, log)).toBe(1);
    expect(said.slice(2)).toEqual([`${jobId}: is no dead letter, it is waiting`, '0 of 1 replayed.']);
    expect(log.lines).toHaveLength(1);
  });

  test('begins those anew that fit, the oldest first', async () => {
    const [first, spent, other, second] = [await die(), await die('lms', 'gave-up'), await die('mail'), await die()];
    const filter = ['--queue', 'lms', '--outcome', 'permanent', ...why];
    expect(await replayCommand([...filter, '--dry-run'], say, log)).toBe(0);
    expect(said.at(-1)).toBe('2 would be replayed.');
    expect((await backend.readQueue('lms')).deadLetters).toBe(3);
    expect(await replayCommand([...filter, '--limit', '1'], say, log)).toBe(0);
    expect(await replayCommand(filter, say, log)).toBe(0);
    expect(new Set(log.lines.map(({ fields }) => fields.jobId))).toEqual(new Set([first, second]));
    for (const jobId of [spent, other]) expect(await backend.job(jobId)).toMatchObject({ state: 'dead' });
    expect(await replayCommand(filter, say, log)).toBe(1);
    expect(said.at(-1)).toBe('There are no such dead letters.');
  });

  test('goes on after one that cannot be replayed, and ends with 1', async () => {
    const [erased, sound] = [await die(), await die()];
    await connection.command('HSET', `{cc}:job:${erased}`, 'erasedAt', '1');
    expect(await replayCommand([erased, 'nobody', sound, ...why], say, log)).toBe(1);
    expect(said).toEqual([
      `${erased}: stays dead: its subject was erased, there is nothing left to run`,
      'nobody: there is no such job: it was never accepted here, or its record has expired',
      `${sound}: dead → waiting`,
      '1 of 3 replayed.',
    ]);
  });

  test('says what it needs', async () => {
    const which = 'Either job ids are needed or --queue.';
    await expect(replayCommand(why, say)).rejects.toThrow(which);
    await expect(replayCommand(['nobody', '--queue', 'lms', ...why], say)).rejects.toThrow(which);
    await expect(replayCommand(['--task', 'lms.enrol', ...why], say)).rejects.toThrow(which);
    await expect(replayCommand(['nobody'], say)).rejects.toThrow('A reason is needed: --why.');
  });
});

describe('npm run erase', () => {
  const request = ['--subject', 'order:D-1001', '--why', 'request 17', '--by', 'alice'];
  let log: RecordingLog;
  beforeEach(() => void (log = new RecordingLog()));

  test('erases what is there, says so to the log, and keeps records as long as is configured', async () => {
    const jobId = await accept('lms', 'order:D-1001');
    process.env.COMPLETED_RETENTION_MS = '60000';
    try {
      expect(await eraseCommand([...request, '--yes', '--rewrite'], say, log)).toBe(0);
    } finally {
      delete process.env.COMPLETED_RETENTION_MS;
    }
    expect(said.join('\n')).toMatch(/lms.enrol +waiting +cancelled and erased/);
    expect(said.at(-1)).toContain('there is nothing to rewrite');
    expect(log.lines).toMatchObject([
      { message: 'erased a subject', fields: { subject: 'order:D-1001', by: 'alice', jobs: 1, cancelled: 1 } },
    ]);
    expect(Number(await connection.command('PTTL', `{cc}:job:${jobId}`))).toBeLessThanOrEqual(60_000);
  });

  test('erases nothing while nobody has agreed', async () => {
    const jobId = await accept('lms', 'order:D-1001');
    expect(await eraseCommand([...request, '--dry-run'], say, log)).toBe(0);
    expect(said.at(-1)).toContain('would be cancelled and erased');
    await expect(eraseCommand(request, say, log)).rejects.toThrow('nobody can be asked here. Add --yes.');
    expect([log.lines, (await backend.job(jobId))?.state]).toEqual([[], 'waiting']);
  });

  test('says when there is nothing about the subject, and remembers no erasure then', async () => {
    await accept('lms', 'order:D-1002');
    expect(await eraseCommand([...request, '--yes'], say, log)).toBe(1);
    expect(said).toEqual(['Redis knows no job about order:D-1001. Is it spelled as at acceptance?']);
    expect([log.lines, await connection.command('EXISTS', '{cc}:erasures')]).toEqual([[], 0]);
  });
});
