import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { silentLogger } from '@coordinator/logging';
import { eventually, startRedis, type RedisServer } from '@coordinator/task-testing';
import { RedisConnection } from '@coordinator/tasks';
import { startStack } from '@coordinator/tools';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Coordinator } from './coordinator.ts';

/** What a password may hold: a URL has it in percent encoding. */
const PASSWORD = 's3cret/@:#';

const folder = mkdtempSync(join(tmpdir(), 'coordinator-acl-'));
const lines: string[] = [];
let redis: RedisServer;
let coordinator: Coordinator;
beforeAll(async () => {
  const users = readFileSync(resolve(__dirname, '../../deploy/redis/users.acl'), 'utf8');
  // As docs/guides/run-it.md says, and one who looks on.
  const withPasswords = users.replaceAll(/^(user coordinator-\S+ on resetpass)/gm, `$1 >${PASSWORD}`);
  writeFileSync(join(folder, 'users.acl'), `${withPasswords}user onlooker on >${PASSWORD} ~* &* +@all\n`);
  redis = await startRedis({ args: ['--aclfile', join(folder, 'users.acl'), '--maxmemory', '1gb'] });
  const redisUrl = (app: string) => urlOf(app === 'sandbox' ? 'nobody' : app);
  coordinator = new Coordinator(await startStack({ redis, redisUrl, onLine: (line) => lines.push(line) }));
}, 60_000);
afterAll(async () => {
  await coordinator?.stack.stop();
  await redis?.stop();
  rmSync(folder, { recursive: true });
}, 60_000);

function urlOf(user: string): string {
  return `redis://${user}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${redis.port}`;
}

/** Runs one command as a user. */
async function as(user: string, ...command: string[]): Promise<unknown> {
  const connection = new RedisConnection({ url: urlOf(user), log: silentLogger });
  await connection.connect();
  try {
    return await connection.command(...command);
  } finally {
    connection.close();
  }
}

/** Runs a command of the operator's; returns its exit code and what it printed. */
async function operate(command: string, ...args: string[]): Promise<[code: number, output: string]> {
  const env = {
    ...{ PATH: process.env.PATH, REDIS_URL: urlOf('coordinator-operator') },
    ...{ COORDINATOR_ADMIN_URL: coordinator.stack.urls.admin, COORDINATOR_ADMIN_TOKEN: 'dev-admin-token' },
  };
  const file = resolve(__dirname, `../../tools/dist/${command}.js`);
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [file, ...args], { env });
    return [0, stdout + stderr];
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return [code, stdout + stderr];
  }
}

/** What users were refused so far: `<user> <command or key>`. */
async function refusals(): Promise<string[]> {
  const entries = (await as('onlooker', 'ACL', 'LOG', '128')) as string[][];
  return entries.map((flat) => `${flat[flat.indexOf('username') + 1]} ${flat[flat.indexOf('object') + 1]}`);
}

async function statesOf(orderNumber: string): Promise<string[]> {
  return (await coordinator.timeline(orderNumber)).map(({ state }) => state);
}

describe('with a user of Redis for each role', () => {
  test('an order is completed', async () => {
    await as('onlooker', 'ACL', 'LOG', 'RESET');
    const order = coordinator.newOrder();
    expect((await coordinator.placeOrder(order)).status).toBe(202);
    await eventually(async () => expect(await statesOf(order.orderNumber)).toEqual(['completed', 'completed']));
    expect(await refusals()).toEqual([]);
  });

  test('operators find a dead letter, replay it, and erase what it was about', async () => {
    await as('onlooker', 'ACL', 'LOG', 'RESET');
    const order = coordinator.newOrder();
    await coordinator.fail('lms.enrol', '400', { count: 1 });
    await coordinator.placeOrder(order);
    await eventually(async () => expect(await statesOf(order.orderNumber)).toEqual(['completed', 'dead']));
    const { jobId } = (await coordinator.timeline(order.orderNumber))[1]!;
    expect(await operate('dead-letters')).toEqual([0, expect.stringContaining(jobId)]);
    expect(await operate('replay', jobId, '--why', 'the course exists by now')).toEqual([0, expect.any(String)]);
    await eventually(async () => expect(await statesOf(order.orderNumber)).toEqual(['completed', 'completed']));
    expect(await operate('cancel', jobId, '--why', 'too late')).toEqual([1, expect.any(String)]);
    const erasure = ['--subject', `order:${order.orderNumber}`, '--why', 'asked to', '--rewrite', '--yes'];
    expect(await operate('erase', ...erasure)).toEqual([0, expect.any(String)]);
    expect(await operate('audit')).toEqual([0, expect.stringContaining('The books balance.')]);
    const headers = { authorization: 'Bearer dev-admin-token' };
    for (const path of ['jobs?state=waiting', 'jobs?state=dead', `jobs/${jobId}`, 'queues', 'downstreams']) {
      expect((await fetch(`${coordinator.stack.urls.admin}/admin/v1/${path}`, { headers })).status).toBe(200);
    }
    const log = await fetch(`${coordinator.stack.urls.admin}/admin/v1/audit-log`, { headers });
    const { items } = (await log.json()) as { items: { action: string }[] };
    expect(items.map(({ action }) => action)).toEqual(['view-payload', 'erase', 'replay']);
    expect(await refusals()).toEqual([]);
  }, 120_000);

  test('scripts that Redis has forgotten are brought back', async () => {
    await as('onlooker', 'SCRIPT', 'FLUSH');
    const order = coordinator.newOrder();
    expect((await coordinator.placeOrder(order)).status).toBe(202);
    await eventually(async () => expect(await statesOf(order.orderNumber)).toEqual(['completed', 'completed']));
  });

  test('each process says at its start what it could not check', () => {
    const warnings = lines.filter((line) => line.includes('not all was checked: see that appendfsync is always'));
    expect(warnings).toHaveLength(2);
  });

  test.each(['coordinator-api', 'coordinator-worker', 'coordinator-operator'])(
    '%s is refused what is not its own, in scripts as well',
    async (user) => {
      for (const command of [
        ['FLUSHALL'],
        ['FLUSHDB'],
        ['CONFIG', 'GET', 'dir'],
        ['CONFIG', 'SET', 'appendonly', 'no'],
        ['KEYS', '*'],
        ['SHUTDOWN'],
        ['SCRIPT', 'FLUSH'],
        ['ACL', 'LIST'],
        ['GET', 'session:1'],
        ['SET', 'session:1', 'x'],
        ['SET', '{cc}-other:1', 'x'],
        ['PUBLISH', 'channel', 'x'],
      ]) {
        const refused = { cause: { message: expect.stringMatching('NOPERM') } };
        await expect(as(user, ...command)).rejects.toMatchObject(refused);
      }
      for (const call of ["'FLUSHALL'", "'KEYS', '*'", "'GET', 'session:1'"]) {
        await expect(as(user, 'EVAL', `return redis.call(${call})`, '0')).rejects.toThrow(
          /executing the script can't|no permission/i,
        );
      }
    },
  );

  test.each(['coordinator-api', 'coordinator-worker', 'coordinator-operator'])(
    '%s can take nothing away from the audit log, in scripts as well',
    async (user) => {
      const log = '{cc}:audit-log';
      const before = (await as('onlooker', 'XRANGE', log, '-', '+')) as [[id: string]];
      const [[id]] = before;
      for (const command of [
        ['DEL', log],
        ['UNLINK', log],
        ['XDEL', log, id],
        ['XTRIM', log, 'MAXLEN', '0'],
        ['XSETID', log, '0-0'],
        ['SET', log, 'x'],
        ['RENAME', log, '{cc}:b'],
        ['RENAME', '{cc}:layout', log],
        ['PEXPIRE', log, '1'],
        ['RESTORE', log, '0', 'x', 'REPLACE'],
      ]) {
        const refused = { cause: { message: expect.stringMatching('NOPERM') } };
        await expect(as(user, ...command)).rejects.toMatchObject(refused);
        const call = command.map((part) => `'${part}'`).join(', ');
        await expect(as(user, 'EVAL', `return redis.call(${call})`, '0')).rejects.toThrow(
          /executing the script can't|no permission/i,
        );
      }
      expect(await as('onlooker', 'XRANGE', log, '-', '+')).toEqual(before);
    },
  );

  test.each([
    ['coordinator-api', 'RENAMENX', '{cc}:job:1', '{cc}:job:2'],
    ['coordinator-api', 'SCAN', '0'],
    ['coordinator-api', 'BRPOPLPUSH', '{cc}:q:lms:waiting', '{cc}:q:lms:active', '1'],
    ['coordinator-worker', 'SCAN', '0'],
    ['coordinator-worker', 'RENAMENX', '{cc}:a', '{cc}:b'],
    ['coordinator-operator', 'BRPOPLPUSH', '{cc}:q:lms:waiting', '{cc}:q:lms:active', '1'],
  ])('%s is refused %s, which another role needs', async (user, ...command) => {
    const refused = { cause: { message: expect.stringMatching('NOPERM') } };
    await expect(as(user, ...command)).rejects.toMatchObject(refused);
  });

  test('nobody comes in without a user', async () => {
    const anonymous = new RedisConnection({ url: redis.url, log: silentLogger });
    await anonymous.connect();
    await expect(anonymous.command('PING')).rejects.toMatchObject({
      cause: { message: expect.stringMatching('NOAUTH') },
    });
    anonymous.close();
  });
});
