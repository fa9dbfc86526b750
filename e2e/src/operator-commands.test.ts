import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { silentLogger } from '@coordinator/logging';
import { eventually, freePort } from '@coordinator/task-testing';
import { RedisBackend, RedisConnection, type NewJob } from '@coordinator/tasks';
import { startStack, type Stack } from '@coordinator/tools';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';

const QUEUE = 'open-edx-lms';
const SUBJECT = 'order:D-1001';
const why = ['--why', 'ticket 17'];

let stack: Stack;
let connection: RedisConnection;
let backend: RedisBackend;
beforeAll(async () => {
  const tokens = 'dev=dev-admin-token:read+operate+payload,reader=reader-token:read';
  // No worker: jobs stay where a test has put them.
  stack = await startStack({ workers: 0, env: { ADMIN_TOKENS: tokens, COMPLETED_RETENTION_MS: '60000' } });
  connection = new RedisConnection({ url: stack.urls.redis, log: silentLogger });
  await connection.connect();
  backend = new RedisBackend(connection);
}, 60_000);
afterAll(async () => {
  connection?.close();
  await stack?.stop();
}, 60_000);
afterEach(() => connection.command('FLUSHALL'));

let env: NodeJS.ProcessEnv;
beforeEach(() => {
  env = {
    PATH: process.env.PATH,
    REDIS_URL: stack.urls.redis,
    COORDINATOR_ADMIN_URL: stack.urls.admin,
    COORDINATOR_ADMIN_TOKEN: 'dev-admin-token',
  };
});

interface Ran {
  readonly code: number;
  /** Lines of the standard output. */
  readonly lines: readonly string[];
  /** The standard error. */
  readonly error: string;
}

/** Runs a command as operators do, without a terminal. */
function run(command: string, ...args: string[]): Promise<Ran> {
  const main = resolve(__dirname, `../../tools/dist/${command}.js`);
  return new Promise((settle) => {
    const child = execFile(process.execPath, [main, ...args], { env }, (_, stdout, stderr) =>
      settle({ code: child.exitCode ?? -1, lines: stdout.trimEnd().split('\n'), error: stderr }),
    );
    child.stdin?.end();
  });
}

/** Accepts a job; returns its id. */
async function accept(queue = QUEUE, subject?: string): Promise<string> {
  const envelope = JSON.stringify({ v: 1, task: 'lms.enrol', payloadVersion: 1, release: '1.0.0', trace: {}, subject });
  const id = randomUUID();
  const job: NewJob = {
    ...{ id, task: 'lms.enrol', queue, envelope, payload: '{}', delayMs: 0, subject },
    ...{ lane: undefined, dedupe: undefined },
  };
  await backend.enqueue([job]);
  return id;
}

async function take(queue = QUEUE) {
  const batch = { leaseMs: 60_000, token: randomUUID(), more: 1, again: false };
  const [claim] = await backend.claimBatch(queue, '', batch);
  if (!claim) throw new Error('nothing waits');
  return claim;
}

const unset = { error: undefined, attemptReport: undefined, children: [], delayMs: 0, spendsAttempt: true };

/** Makes a dead letter; returns its id. */
async function die(queue = QUEUE, outcome = 'permanent'): Promise<string> {
  const jobId = await accept(queue);
  const error = JSON.stringify({ code: 'COORD_DOWNSTREAM_REFUSED', message: 'no such\n\u001b[31mcourse' });
  await backend.settle(await take(queue), { ...unset, state: 'dead', outcome, error });
  return jobId;
}

/** What the audit log holds, newest first. */
async function auditLog() {
  const headers = { authorization: 'Bearer dev-admin-token' };
  const answer = await fetch(`${stack.urls.admin}/admin/v1/audit-log`, { headers });
  const { items } = (await answer.json()) as {
    items: { by: string; action: string; object: string; why: string; requestId: string }[];
  };
  return items;
}

/** The same in short: `<by> <action> <object> <why>`. */
async function audited(): Promise<string[]> {
  return (await auditLog()).map(({ by, action, object, why }) => `${by} ${action} ${object} ${why}`);
}

describe('npm run cancel', () => {
  test('ends a job that waits, keeps the reason, and is written down', async () => {
    const jobId = await accept();
    const ran = await run('cancel', jobId, ...why);
    expect(ran).toEqual({ code: 0, lines: [`${jobId}: waiting → cancelled`, 'It will not run.'], error: '' });
    expect(await backend.job(jobId)).toMatchObject({ state: 'cancelled', error: { message: 'ticket 17' } });
    expect(await audited()).toEqual([`dev cancel job:${jobId} ticket 17`]);

    // The audit log leads to the trace of the request.
    const [record] = await auditLog();
    await eventually(async () => {
      const trace = await fetch(`${stack.urls.sandbox}/__traces/${record?.requestId}`);
      expect(await trace.json()).toMatchObject({
        spans: [
          {
            ...{ name: 'POST /admin/v1/jobs/{id}/cancel', kind: 'SERVER', service: 'coordinator-api' },
            attributes: {
              'http.request.method': 'POST',
              'http.route': '/admin/v1/jobs/{id}/cancel',
              'http.response.status_code': 200,
            },
          },
        ],
      });
    });
  });

  test('says that a running job is told, and may still complete', async () => {
    const jobId = await accept();
    const claim = await take();
    const told = await run('cancel', jobId, ...why);
    expect([told.code, told.lines[0]]).toEqual([0, `${jobId}: running → running`]);
    expect(told.lines[1]).toContain('within 2 s');
    await backend.settle(claim, { ...unset, state: 'completed', outcome: 'completed' });
    const late = await run('cancel', jobId, ...why);
    expect([late.code, late.lines.at(-1)]).toEqual([1, 'It had ended before: it stays completed.']);
  });

  test('says when there is no such job, and what it needs', async () => {
    const none = await run('cancel', 'nobody', ...why);
    const words = ['There is no job nobody: it was never accepted here, or its record has expired.'];
    expect([none.code, none.lines]).toEqual([1, words]);
    for (const args of [['nobody'], why]) {
      const ran = await run('cancel', ...args);
      expect([ran.code, ran.error]).toEqual([2, expect.stringContaining('A job id and a reason are needed.')]);
    }
  });
});

describe('npm run dead-letters', () => {
  test('says when there are none', async () => {
    await accept();
    expect(await run('dead-letters')).toMatchObject({ code: 0, lines: ['There are no such dead letters.'] });
  });

  test('lists them with what went wrong, a line each', async () => {
    const jobId = await die();
    const error = 'COORD_DOWNSTREAM_REFUSED no such \\[31mcourse$';
    const row = new RegExp(`^  ${jobId}  lms.enrol  ${QUEUE} +20.*Z  1 +permanent  ${error}`);
    expect((await run('dead-letters')).lines.at(-1)).toMatch(row);
    const { lines } = await run('dead-letters', '--json');
    expect(JSON.parse(lines.join('\n'))).toMatchObject([
      {
        ...{ jobId, task: 'lms.enrol', queue: QUEUE, attempts: 1, outcome: 'permanent' },
        error: { code: 'COORD_DOWNSTREAM_REFUSED' },
      },
    ]);
  });

  test('lists those that fit, of all queues the newest first, and says when there are more', async () => {
    const [other, spent, newest] = [await die('segment'), await die(QUEUE, 'attempts-spent'), await die()];
    const listed = async (...args: string[]) => {
      const { lines } = await run('dead-letters', '--json', ...args);
      return (JSON.parse(lines.join('\n')) as { jobId: string }[]).map(({ jobId }) => jobId);
    };
    expect(new Set(await listed())).toEqual(new Set([newest, spent, other]));
    expect(await listed('--queue', 'segment')).toEqual([other]);
    expect(await listed('--outcome', 'attempts-spent')).toEqual([spent]);
    expect(await listed('--task', 'lms.unenrol')).toEqual([]);
    expect(await listed('--code', 'COORD_CRASHED_WORKER')).toEqual([]);
    const two = await run('dead-letters', '--limit', '2');
    expect(two.lines.at(-1)).toBe('There are more than these 2: --limit N shows them.');
    const wrong = await run('dead-letters', '--limit', 'all');
    expect([wrong.code, wrong.error]).toEqual([2, expect.stringContaining('--limit is a number from 1 on')]);
  });
});

describe('npm run replay', () => {
  test('begins one anew, once, and is written down', async () => {
    const jobId = await die();
    const first = await run('replay', jobId, ...why);
    expect([first.code, first.lines]).toEqual([0, [`${jobId}: dead → waiting`, '1 of 1 replayed.']]);
    expect(await backend.job(jobId)).toMatchObject({ state: 'waiting', attempt: 0 });
    const again = await run('replay', jobId, ...why);
    expect([again.code, again.lines]).toEqual([1, [`${jobId}: is no dead letter, it is waiting`, '0 of 1 replayed.']]);
    expect(await audited()).toEqual([`dev replay job:${jobId} ticket 17`]);
  });

  test('begins those anew that fit, the oldest first', async () => {
    const [first, spent, other, second] = [await die(), await die(QUEUE, 'gave-up'), await die('segment'), await die()];
    const filter = ['--queue', QUEUE, '--outcome', 'permanent', ...why];
    const looked = await run('replay', ...filter, '--dry-run');
    const wanted = [`${first} lms.enrol`, `${second} lms.enrol`, '2 would be replayed.'];
    expect([looked.code, looked.lines]).toEqual([0, wanted]);
    expect((await backend.readQueue(QUEUE)).deadLetters).toBe(3);
    expect((await run('replay', ...filter, '--limit', '1')).lines[0]).toBe(`${first}: dead → waiting`);
    expect((await run('replay', ...filter)).lines[0]).toBe(`${second}: dead → waiting`);
    for (const jobId of [spent, other]) expect(await backend.job(jobId)).toMatchObject({ state: 'dead' });
    expect(await run('replay', ...filter)).toMatchObject({ code: 1, lines: ['There are no such dead letters.'] });
  });

  test('replays more than one request may', async () => {
    for (let i = 0; i < 205; i += 1) await die();
    const { code, lines } = await run('replay', '--queue', QUEUE, '--limit', '203', ...why);
    expect([code, lines.length, lines.at(-1)]).toEqual([0, 204, '203 of 203 replayed.']);
    expect((await backend.readQueue(QUEUE)).deadLetters).toBe(2);
  });

  test('goes on after one that cannot be replayed, and ends with 1', async () => {
    const [erased, sound] = [await die(), await die()];
    await connection.command('HSET', `{cc}:job:${erased}`, 'erasedAt', '1');
    const { code, lines } = await run('replay', erased, 'nobody', sound, ...why);
    expect([code, lines]).toEqual([
      1,
      [
        `${erased}: stays dead: its subject was erased, there is nothing left to run`,
        'nobody: there is no such job: it was never accepted here, or its record has expired',
        `${sound}: dead → waiting`,
        '1 of 3 replayed.',
      ],
    ]);
  });

  test('says what it needs', async () => {
    const which = 'Either job ids are needed or --queue.';
    for (const [args, fault] of [
      [why, which],
      [['nobody', '--queue', QUEUE, ...why], which],
      [['--task', 'lms.enrol', ...why], which],
      [['nobody'], 'A reason is needed: --why.'],
    ] as const) {
      const ran = await run('replay', ...args);
      expect([ran.code, ran.error]).toEqual([2, expect.stringContaining(fault)]);
    }
  });
});

describe('npm run erase', () => {
  const request = ['--subject', SUBJECT, ...why];

  test('erases what is there, is written down, and keeps records as long as is configured', async () => {
    const jobId = await accept(QUEUE, SUBJECT);
    const { code, lines } = await run('erase', ...request, '--yes', '--rewrite');
    expect(code).toBe(0);
    expect(lines.join('\n')).toMatch(/lms.enrol +waiting +cancelled and erased/);
    expect(lines.at(-1)).toBe('It holds only what is left.');
    expect(await audited()).toEqual([`dev erase subject:${SUBJECT} ticket 17`]);
    expect(Number(await connection.command('PTTL', `{cc}:job:${jobId}`))).toBeLessThanOrEqual(60_000);
  });

  test('erases nothing while nobody has agreed', async () => {
    const jobId = await accept(QUEUE, SUBJECT);
    expect((await run('erase', ...request, '--dry-run')).lines.at(-1)).toContain('would be cancelled and erased');
    const ran = await run('erase', ...request);
    expect([ran.code, ran.error]).toEqual([2, expect.stringContaining('nobody can be asked here. Add --yes.')]);
    expect([await audited(), (await backend.job(jobId))?.state]).toEqual([[], 'waiting']);
  });

  test('says when there is nothing about the subject, and nothing is written down then', async () => {
    await accept(QUEUE, 'order:D-1002');
    const ran = await run('erase', ...request, '--yes');
    const words = [`Redis knows no job about ${SUBJECT}. Is it spelled as at acceptance?`];
    expect([ran.code, ran.lines]).toEqual([1, words]);
    expect(await audited()).toEqual([]);
  });
});

describe('a command that cannot be done says what to do', () => {
  const expectFailure = async (words: string) => {
    const { code, lines, error } = await run('cancel', 'nobody', ...why);
    expect({ code, lines, error }).toEqual({ code: 2, lines: [''], error: expect.stringContaining(words) });
    expect(error).not.toMatch(/token-of-mine|\n +at /);
  };

  test('where no API answers', async () => {
    env.COORDINATOR_ADMIN_URL = `http://127.0.0.1:${await freePort()}`;
    await expectFailure(`No API answers at ${env.COORDINATOR_ADMIN_URL} (ECONNREFUSED). Set COORDINATOR_ADMIN_URL`);
  });

  test('where something else answers', async () => {
    const other = createServer((_request, response) => void response.writeHead(404).end('<html>'));
    await new Promise<void>((listening) => other.listen(0, '127.0.0.1', listening));
    env.COORDINATOR_ADMIN_URL = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    await expectFailure('is no API of ours: it says 404');
    await new Promise((closed) => other.close(closed));
  });

  test('with a token that nobody knows', async () => {
    env.COORDINATOR_ADMIN_TOKEN = 'token-of-mine';
    await expectFailure('does not know this token: set COORDINATOR_ADMIN_TOKEN to one of its ADMIN_TOKENS');
  });

  test('with a token that may only look', async () => {
    env.COORDINATOR_ADMIN_TOKEN = 'reader-token';
    await expectFailure('refuses this: This token lacks the scope operate. Use a token that may do it.');
    expect(await audited()).toEqual([
      'reader refuse POST /admin/v1/jobs/{id}/cancel this token lacks the scope operate',
    ]);
  });

  test('without a token, where another API than that of npm start is named', async () => {
    delete env.COORDINATOR_ADMIN_TOKEN;
    await expectFailure('COORDINATOR_ADMIN_TOKEN is not set: set it, or COORDINATOR_ADMIN_TOKEN_FILE');
  });
});
