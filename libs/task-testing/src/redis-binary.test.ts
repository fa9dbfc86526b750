import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { findRedisServer, RedisNotFoundError } from './redis-binary.ts';

let work: string;

beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), 'find-redis-'));
});

afterEach(async () => {
  await rm(work, { recursive: true, force: true });
});

async function fake(path: string, says: string): Promise<string> {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, `#!/bin/sh\necho '${says}'\n`);
  await chmod(path, 0o755);
  return path;
}

const find = (env: NodeJS.ProcessEnv) => findRedisServer({ env, cacheDir: join(work, 'cache') });

describe('findRedisServer', () => {
  test('takes REDIS_SERVER_BIN before what is on PATH', async () => {
    const named = await fake(join(work, 'mine'), 'Redis server v=7.2.4 sha=0');
    await fake(join(work, 'bin', 'redis-server'), 'Redis server v=8.0.0 sha=0');
    expect(await find({ REDIS_SERVER_BIN: named, PATH: join(work, 'bin') })).toMatchObject({
      path: named,
      version: '7.2.4',
      source: 'REDIS_SERVER_BIN',
    });
  });

  test('does not replace a REDIS_SERVER_BIN that is none by another server', async () => {
    await fake(join(work, 'bin', 'redis-server'), 'Redis server v=8.0.0 sha=0');
    const found = find({ REDIS_SERVER_BIN: join(work, 'nothing'), PATH: join(work, 'bin') });
    await expect(found).rejects.toThrow(/REDIS_SERVER_BIN=.*nothing: not there/);
  });

  test('takes valkey-server where redis-server is too old', async () => {
    await fake(join(work, 'bin', 'redis-server'), 'Redis server v=6.0.16 sha=0');
    const valkey = await fake(join(work, 'bin', 'valkey-server'), 'Valkey server v=8.1.1 sha=0');
    expect(await find({ PATH: join(work, 'bin') })).toMatchObject({ path: valkey, version: '8.1.1', source: 'PATH' });
  });

  test('takes an unpacked copy, with its libraries, when there is none on PATH', async () => {
    const root = join(work, 'cache');
    const path = await fake(join(root, 'usr', 'bin', 'redis-server'), 'Redis server v=7.0.15 sha=0');
    await fake(join(root, 'usr', 'lib', 'x86_64-linux-gnu', 'libjemalloc.so.2'), '');
    const found = await find({ PATH: join(work, 'empty') });
    expect(found).toMatchObject({ path, source: 'cache' });
    expect(found.env.LD_LIBRARY_PATH).toBe(join(root, 'usr', 'lib', 'x86_64-linux-gnu'));
  });

  test('says what was looked for and four ways out, without a stack', async () => {
    const error = await find({ PATH: join(work, 'empty') }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(RedisNotFoundError);
    const { message, exitCode, stack } = error as RedisNotFoundError;
    expect(exitCode).toBe(69);
    expect(message).toContain('redis-server on PATH: not there');
    expect(message).toContain('there is no apt-get here');
    expect(message.match(/^ {2}\d\. /gm)).toHaveLength(4);
    expect(stack).not.toMatch(/\n\s+at /);
  });

  test('many finders at once unpack once and all get the same server', async () => {
    const log: string[] = [];
    const bin = join(work, 'bin');
    // An apt-get and a dpkg-deb that do what the real ones do, so that this needs no network.
    await fakeDebianTools(bin);
    const cacheDir = join(work, 'cache');
    const found = await Promise.all(
      [1, 2, 3, 4, 5].map(() => findRedisServer({ env: { PATH: bin }, cacheDir, log: (line) => log.push(line) })),
    );
    expect(new Set(found.map(({ path }) => path)).size).toBe(1);
    expect(log).toHaveLength(1);
  });
});

async function fakeDebianTools(bin: string): Promise<void> {
  await mkdir(bin, { recursive: true });
  await writeFile(
    join(bin, 'apt-get'),
    `#!/bin/sh\ncase "$*" in *install*) echo 'Inst redis-server (5:7.0.15 Debian)';; *download*) : > redis-server.deb;; esac\n`,
  );
  await writeFile(
    join(bin, 'dpkg-deb'),
    `#!/bin/sh\nPATH=/usr/bin:/bin\nmkdir -p "$3/usr/bin"; printf '#!/bin/sh\\necho "Redis server v=7.0.15"\\n' > "$3/usr/bin/redis-server"; chmod +x "$3/usr/bin/redis-server"\n`,
  );
  await chmod(join(bin, 'apt-get'), 0o755);
  await chmod(join(bin, 'dpkg-deb'), 0o755);
}
