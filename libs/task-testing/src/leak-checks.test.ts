import { expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { leaksSince, leaksThatStay, openResources } from './leak-checks.ts';

const PROJECT = join(__dirname, '..');
const PRESET = join(PROJECT, '..', '..', 'jest.preset.cjs');

test('what is opened is a leak until it is closed', async () => {
  const before = openResources();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const timer = setTimeout(() => undefined, 60_000);
  expect(leaksSince(before)).toEqual([
    '1 x TCPServerWrap: a listening server: close it',
    '1 x Timeout: a timer or interval: clear it, or drain the TaskWorker',
  ]);
  clearTimeout(timer);
  await new Promise((resolve) => server.close(resolve));
  expect(await leaksThatStay(before)).toEqual([]);
});

/** A test file that starts a real worker; `end` is what it does about it. */
const fileThatEndsWith = (end: string) => `
  import { silentLogger } from '@coordinator/logging';
  import { leakChecks, privateRedis } from '@coordinator/task-testing';
  import { RedisBackend, RedisConnection, TaskCatalog, TaskWorker } from '@coordinator/tasks';
  import { test } from '@jest/globals';
  const redis = privateRedis();
  leakChecks(redis);
  test('passes', async () => {
    const connection = new RedisConnection({ url: redis.url, log: silentLogger });
    await connection.connect();
    const backend = new RedisBackend(connection, { keyPrefix: redis.freshPrefix() });
    const worker = new TaskWorker({
      backend, redisUrl: redis.url, queues: ['lms'], concurrency: 2, leaseMs: 3_000, log: silentLogger, release: 'test',
      catalog: new TaskCatalog([]), routeEvent: () => [], handlerOf: () => async () => undefined,
    });
    worker.start();
    ${end}
  });`;

interface JestReport {
  readonly testResults: readonly { readonly name: string; readonly status: string; readonly message: string }[];
}

/** Runs test files in a Jest of their own: what they leave open must not stay with ours. */
async function reportOf(files: Readonly<Record<string, string>>): Promise<JestReport['testResults']> {
  await mkdir(join(PROJECT, 'tmp'), { recursive: true });
  const folder = await mkdtemp(join(PROJECT, 'tmp', 'leaks-'));
  try {
    await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(folder, `${name}.test.ts`), text)));
    const config = { ...(require(PRESET) as object), rootDir: folder, testMatch: ['<rootDir>/*.test.ts'] };
    const args = [require.resolve('jest/bin/jest'), '--config', JSON.stringify(config), '--json', '--forceExit'];
    const output = await new Promise<string>((resolve) => {
      execFile(process.execPath, args, { cwd: PROJECT, timeout: 60_000 }, (_, stdout) => resolve(stdout));
    });
    return (JSON.parse(output) as JestReport).testResults;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test('a worker that is not drained and a lease that is held make their test files fail', async () => {
  const results = await reportOf({
    leaking: fileThatEndsWith(''),
    drained: fileThatEndsWith('await worker.drain(1_000); connection.close();'),
    held: `
      import { leakChecks } from '@coordinator/task-testing';
      import { test } from '@jest/globals';
      leakChecks({ heldLeases: ['settles nothing: {test-1}:q:lms:leases 42'] });
      test('passes', () => undefined);`,
  });
  const of = (name: string) => results.find((result) => result.name.includes(name));
  expect(of('drained')).toMatchObject({ status: 'passed' });
  expect(of('leaking')).toMatchObject({ status: 'failed' });
  expect(of('leaking')?.message).toContain('This test file leaves something open:');
  expect(of('leaking')?.message).toContain('drain the TaskWorker');
  expect(of('held')).toMatchObject({ status: 'failed' });
  expect(of('held')?.message).toContain('lease held: settles nothing: {test-1}:q:lms:leases 42');
}, 60_000);
