import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { type RedisServer, startRedis } from './redis-server.ts';

const started: RedisServer[] = [];

async function start(options?: Parameters<typeof startRedis>[0]): Promise<RedisServer> {
  const redis = await startRedis(options);
  started.push(redis);
  return redis;
}

/** Sends one inline command and gives back the first part of the reply, or `no answer`. */
function ask(redis: RedisServer, command: string, withinMs = 2000): Promise<string> {
  return new Promise((settle) => {
    const socket = connect(redis.port, '127.0.0.1');
    const done = (reply: string) => {
      socket.destroy();
      settle(reply.trim());
    };
    socket.setTimeout(withinMs, () => done('no answer'));
    socket.once('error', () => done('no answer'));
    socket.once('data', (data) => done(data.toString()));
    socket.write(`${command}\r\n`);
  });
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((redis) => redis.stop()));
});

describe('startRedis', () => {
  test('keeps what was written through a kill -9 and a restart on the same port', async () => {
    const redis = await start();
    const { pid, port } = redis;
    expect(await ask(redis, 'SET order D-1001')).toBe('+OK');
    await redis.kill('SIGKILL');
    expect(await ask(redis, 'PING')).toBe('no answer');
    await redis.restart();
    expect(redis.port).toBe(port);
    expect(redis.pid).not.toBe(pid);
    expect(await ask(redis, 'GET order')).toContain('D-1001');
  });

  test('never evicts, and fsyncs every write', async () => {
    const redis = await start();
    expect(await ask(redis, 'CONFIG GET maxmemory-policy')).toContain('noeviction');
    expect(await ask(redis, 'CONFIG GET appendfsync')).toContain('always');
    expect(await ask(redis, 'CONFIG GET appendonly')).toContain('yes');
  });

  test('writes no file when told no-aof, and takes further arguments', async () => {
    const redis = await start({ appendfsync: 'no-aof', args: ['--maxmemory', '64mb'] });
    expect(await ask(redis, 'CONFIG GET appendonly')).toContain('no');
    expect(await ask(redis, 'CONFIG GET maxmemory')).toContain('67108864');
  });

  test('answers nothing while paused and goes on when resumed', async () => {
    const redis = await start({ appendfsync: 'no-aof' });
    redis.pause();
    expect(await ask(redis, 'PING', 200)).toBe('no answer');
    redis.resume();
    expect(await ask(redis, 'PING')).toBe('+PONG');
  });

  test('stops even while paused and removes its temporary folder', async () => {
    const redis = await start({ appendfsync: 'no-aof' });
    redis.pause();
    await redis.stop();
    expect(existsSync(redis.dir)).toBe(false);
    await expect(redis.restart()).rejects.toThrow('was stopped');
  });

  test('leaves a folder that was given', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'given '));
    const first = await start({ dir });
    await ask(first, 'SET kept yes');
    await first.stop();
    const second = await start({ dir });
    expect(await ask(second, 'GET kept')).toContain('yes');
    await second.stop();
    await rm(dir, { recursive: true });
  });

  test('says why when the port it was told is taken', async () => {
    const { port } = await start({ appendfsync: 'no-aof' });
    await expect(startRedis({ port, appendfsync: 'no-aof' })).rejects.toThrow(/already in use/i);
  });

  test('says what the server said when it does not come up', async () => {
    await expect(startRedis({ args: ['--no-such-setting', '1'] })).rejects.toThrow(/no-such-setting/);
  });

  test('several at once each have a port and a folder of their own', async () => {
    const servers = await Promise.all([1, 2, 3, 4].map(() => start({ appendfsync: 'no-aof' })));
    expect(new Set(servers.map(({ port }) => port)).size).toBe(4);
    expect(new Set(servers.map(({ dir }) => dir)).size).toBe(4);
  });

  test('leaves no server and no folder behind when its parent is killed', async () => {
    const script = `
      require(${JSON.stringify(require.resolve('@swc-node/register'))});
      const { startRedis } = require(${JSON.stringify(join(__dirname, 'redis-server.ts'))});
      startRedis({}).then(({ pid, dir }) => { console.log(JSON.stringify({ pid, dir })); setInterval(() => {}, 1e6); });`;
    const parent = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const told = await new Promise<string>((settle) => parent.stdout.once('data', (data) => settle(String(data))));
    const orphan = JSON.parse(told) as { pid: number; dir: string };
    const ended = new Promise((settle) => parent.once('exit', settle));
    parent.kill('SIGKILL');
    await ended;
    // The next start sweeps, so that this holds on systems that cannot tie a child to its parent as well.
    await start({ appendfsync: 'no-aof' });
    expect(existsSync(orphan.dir)).toBe(false);
    await expect(untilGone(orphan.pid)).resolves.toBe(true);
  });
});

async function untilGone(pid: number): Promise<boolean> {
  for (const giveUpAt = performance.now() + 5000; performance.now() < giveUpAt;) {
    const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    // A zombie has ended; only its new parent has not looked yet.
    if (state === '' || / Z /.test(state)) return true;
    await new Promise(setImmediate);
  }
  return false;
}
