import { afterEach, expect, jest, test } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

// Each test starts a process that compiles all extensions from their sources.
jest.setTimeout(60_000);

const running: ChildProcess[] = [];
afterEach(async () => {
  for (const child of running.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

/** The real process, from its sources. */
function start(environment: Readonly<Record<string, string>>, ...flags: string[]) {
  const args = [
    '--conditions=@coordinator/source',
    '--require=@swc-node/register',
    join(__dirname, 'main.ts'),
    ...flags,
  ];
  const env = { PATH: process.env.PATH, SWC_NODE_PROJECT: join(__dirname, '..', 'tsconfig.json'), ...environment };
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  running.push(child);
  return { child, exited: once(child, 'exit'), errors: text(child.stderr) };
}

async function firstLine({ stdout }: { readonly stdout: NodeJS.ReadableStream }): Promise<Record<string, unknown>> {
  let read = '';
  for await (const chunk of stdout) {
    read += String(chunk);
    if (read.includes('\n')) break;
  }
  return JSON.parse(read) as Record<string, unknown>;
}

test('the sandbox says in one line where it is, and ends with 0 when it is told to', async () => {
  const { child, exited } = start({ SANDBOX_PORT: '0', API_PORT: '18080' });
  const line = await firstLine(child as typeof child & { stdout: NodeJS.ReadableStream });
  expect(line).toMatchObject({ service: 'sandbox', msg: 'sandbox is ready', apiUrl: 'http://127.0.0.1:18080' });
  expect((await fetch(`${String(line.url)}/readyz`)).status).toBe(200);
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
});

test('webhooks go to the API that it is told of', async () => {
  const { child } = start({ SANDBOX_PORT: '0', SANDBOX_API_URL: 'http://balancer:8080' });
  const line = await firstLine(child as typeof child & { stdout: NodeJS.ReadableStream });
  expect(line).toMatchObject({ msg: 'sandbox is ready', apiUrl: 'http://balancer:8080' });
});

test('the environment of the extensions is printed line by line', async () => {
  const { child, exited } = start({ SANDBOX_PORT: '8091' }, '--print-env');
  const printed = await text(child.stdout as NodeJS.ReadableStream);
  expect(await exited).toEqual([0, null]);
  expect(printed).toMatch(/^(?:[A-Z][A-Z0-9_]*=.*\n)+$/);
  expect(printed).toContain('=http://127.0.0.1:8091/open-edx-lms');
});

test('the sandbox does not start in production', async () => {
  const { exited, errors } = start({ NODE_ENV: 'production' });
  expect(await exited).toEqual([1, null]);
  expect(await errors).toContain('NODE_ENV=production');
});

test('a bad setting is named', async () => {
  const { exited, errors } = start({ SANDBOX_PORT: 'eighty' });
  expect(await exited).toEqual([1, null]);
  expect(await errors).toContain('SANDBOX_PORT must be a port');
});

test('an extension package that is not there is named', async () => {
  const { exited, errors } = start({ COORDINATOR_EXTENSIONS: 'no-such-extension' });
  expect(await exited).toEqual([1, null]);
  expect(await errors).toContain('no-such-extension');
});
