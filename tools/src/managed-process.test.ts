import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { freePort } from '@coordinator/task-testing';
import { ManagedProcess, type ManagedProcessOptions } from './managed-process.ts';

const SERVER = `
  require('node:http').createServer((request, response) => {
    if (request.url === '/readyz') response.end('ok');
    else { console.error('going down'); process.exit(3); }
  }).listen(Number(process.env.PORT), '127.0.0.1', () => console.log('listening'));
  process.on('SIGTERM', () => { console.log('drained'); process.exit(0); });`;

describe('a managed process', () => {
  let port: number;
  let started: ManagedProcess[];

  beforeEach(async () => {
    port = await freePort();
    started = [];
  });

  afterEach(async () => {
    await Promise.all(started.map((process) => process.stop(1000)));
  });

  function start(options: Partial<ManagedProcessOptions> = {}): ManagedProcess {
    const env = { ...process.env, PORT: String(port) };
    const readyUrl = `http://127.0.0.1:${port}/readyz`;
    const managed = new ManagedProcess({ name: 'api', args: ['--eval', SERVER], env, readyUrl, ...options });
    started.push(managed);
    managed.start();
    return managed;
  }

  test('is ready once it answers, and drains when it is stopped', async () => {
    const lines: string[] = [];
    const managed = start({ onLine: (line, name) => lines.push(`${name} ${line}`) });
    await managed.ready();
    expect(await managed.stop()).toEqual({ code: 0, signal: null });
    expect(lines).toEqual(['api listening', 'api drained']);
    expect(managed.lines).toEqual(['listening', 'drained']);
  });

  test('can be killed and started again', async () => {
    const managed = start();
    await managed.ready();
    const { pid } = managed;
    managed.kill('SIGKILL');
    expect(await managed.exited).toEqual({ code: null, signal: 'SIGKILL' });
    await managed.restart();
    expect(managed.pid).not.toBe(pid);
    expect(managed.running).toBe(true);
  });

  test('stops even when it was frozen', async () => {
    const managed = start();
    await managed.ready();
    managed.kill('SIGSTOP');
    expect(await managed.stop()).toEqual({ code: 0, signal: null });
  });

  test('tells when it ends by itself, and not when it was told to', async () => {
    const ends: unknown[] = [];
    const managed = start({ onUnexpectedEnd: (_process, end) => ends.push(end) });
    await managed.ready();
    await fetch(`http://127.0.0.1:${port}/crash`).catch(() => undefined);
    await managed.exited;
    expect(ends).toEqual([{ code: 3, signal: null }]);
    await managed.restart();
    await managed.stop();
    expect(ends).toHaveLength(1);
  });

  test('says its last lines when it ends before it is ready', async () => {
    const managed = start({ args: ['--eval', "console.error('REDIS_URL is missing'); process.exit(1)"] });
    await expect(managed.ready()).rejects.toThrow(/api ended before it was ready[^]*REDIS_URL is missing/);
  });

  test('says that it was not ready in time', async () => {
    const managed = start({ args: ['--eval', 'setInterval(() => {}, 1000)'] });
    await expect(managed.ready(100)).rejects.toThrow('was not ready after 100 ms');
  });
});
