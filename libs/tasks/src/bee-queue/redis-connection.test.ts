import { silentLogger } from '@coordinator/logging';
import { eventually, leakChecks, privateRedis } from '@coordinator/task-testing';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { RedisConnection } from './redis-connection.ts';
import { checkRedisServer } from './redis-server-check.ts';
import { scripts } from './scripts.ts';

const redis = privateRedis();
leakChecks();

let connection: RedisConnection;
beforeEach(async () => {
  connection = new RedisConnection({ url: redis.url, log: silentLogger });
  await connection.connect();
});
afterEach(() => connection.close());

const socketId = () => connection.command('CLIENT', 'ID') as Promise<number>;

describe('the connection to Redis', () => {
  test('is made anew when its server has become a replica, so that it finds the new master', async () => {
    const before = await socketId();
    await redis.command('REPLICAOF', '127.0.0.1', '1');
    try {
      await expect(connection.command('SET', 'key', '1')).rejects.toMatchObject({ code: 'COORD_QUEUE_UNAVAILABLE' });
      await eventually(async () => expect(await socketId()).not.toBe(before));
    } finally {
      await redis.command('REPLICAOF', 'NO', 'ONE');
    }
    await eventually(async () => expect(await connection.command('SET', 'key', '1')).toBe('OK'));
  });

  test('is made anew when nothing was answered for long, although the socket stays open', async () => {
    const before = await socketId();
    redis.server.pause();
    const pausedAt = performance.now();
    // Each attempt ends at its deadline: nobody waits for a server that does not answer.
    while (performance.now() - pausedAt < 6_000) {
      await expect(connection.command('PING')).rejects.toMatchObject({ code: 'COORD_QUEUE_UNAVAILABLE' });
    }
    redis.server.resume();
    await eventually(async () => expect(await socketId()).not.toBe(before));
  });

  test('refuses at once what it is given while there is none, and works when the server is back', async () => {
    await redis.server.kill();
    const message = expect.stringContaining('nothing was stored');
    await eventually(() => expect(connection.command('SET', 'key', '1')).rejects.toMatchObject({ message }));
    await redis.server.restart();
    await eventually(async () => expect(await connection.command('SET', 'key', '1')).toBe('OK'));
  });

  test('does not pass a mistake of the caller off as an outage, which would be tried again for ever', async () => {
    const noText = connection.run(scripts.release, '{cc}:', ['lms', 5 as unknown as string]);
    await expect(noText).rejects.toThrow(TypeError);
    const tooMany = connection.run(scripts.release, '{cc}:', Array<string>(500_000).fill('lms'));
    await expect(tooMany).rejects.toThrow(RangeError);
  });
});

describe('the check of the server', () => {
  afterEach(async () => {
    await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
  });

  test('finds what would lose jobs, and what makes a promise weaker', async () => {
    await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    const { faults, warnings } = await checkRedisServer(connection);
    expect(faults).toEqual([expect.stringContaining('maxmemory-policy allkeys-lru')]);
    expect(warnings).toEqual([expect.stringContaining('appendfsync always'), expect.stringContaining('no maxmemory')]);
  });

  test('takes a server that keeps less than is declared for a fault, and says which declaration would do', async () => {
    await redis.command('CONFIG', 'SET', 'appendonly', 'yes', 'appendfsync', 'everysec');
    try {
      const { faults } = await checkRedisServer(connection, 'always');
      expect(faults).toEqual([expect.stringContaining('REDIS_PERSISTENCE=everysec')]);
      expect((await checkRedisServer(connection, 'everysec')).faults).toEqual([]);
      await redis.command('CONFIG', 'SET', 'appendfsync', 'always');
      expect((await checkRedisServer(connection, 'always')).faults).toEqual([]);
    } finally {
      await redis.command('CONFIG', 'SET', 'appendonly', 'no');
    }
  });

  test('warns of a server that serves whoever reaches it', async () => {
    await redis.command('CONFIG', 'SET', 'protected-mode', 'no');
    try {
      const { warnings } = await checkRedisServer(connection);
      expect(warnings).toContainEqual(expect.stringContaining('protected-mode yes'));
    } finally {
      await redis.command('CONFIG', 'SET', 'protected-mode', 'yes');
    }
  });

  test('goes by what else is told where CONFIG is forbidden, and says what that leaves open', async () => {
    await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    const { faults, warnings } = await checkRedisServer(forbidden(['CONFIG']), 'always');
    expect(faults).toEqual([
      expect.stringContaining('maxmemory-policy allkeys-lru'),
      expect.stringContaining('REDIS_PERSISTENCE=none'),
    ]);
    expect(warnings).toEqual([
      expect.stringContaining('no maxmemory'),
      expect.stringMatching(/see that appendfsync is always$/),
    ]);
  });

  test('goes on where nothing is told, and says so', async () => {
    const { faults, warnings } = await checkRedisServer(forbidden(['CONFIG', 'INFO']), 'always');
    expect(faults).toEqual([]);
    expect(warnings).toEqual([expect.stringMatching(/see that maxmemory-policy is noeviction, maxmemory is set, /)]);
  });

  /** The connection of a user who may not use some commands. */
  function forbidden(names: readonly string[]): RedisConnection {
    const forbidding = Object.create(connection) as RedisConnection;
    forbidding.command = (name, ...args) =>
      names.includes(name as string)
        ? Promise.reject(new Error(`NOPERM this user has no permissions to run '${name}'`))
        : connection.command(name as string, ...args);
    return forbidding;
  }
});
