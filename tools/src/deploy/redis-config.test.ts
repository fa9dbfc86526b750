import { silentLogger } from '@coordinator/logging';
import { startRedis, type RedisServer } from '@coordinator/task-testing';
import { checkRedisServer, RedisBackend, RedisConnection, type RedisServerCheck } from '@coordinator/tasks';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { deployed } from './yaml-file.ts';

/** The users of the sandbox, `default` last: it is the one who sets them up. */
const USERS = readFileSync(deployed('sandbox/secrets/redis-users.acl'), 'utf8').trim().split('\n').reverse();

/** The settings of deploy/redis/redis.conf as arguments, less where things are in a container. */
const SETTINGS = readFileSync(deployed('redis/redis.conf'), 'utf8')
  .split('\n')
  .filter((line) => /^\w/.test(line) && !/^(?:dir|aclfile|bind) /.test(line))
  .flatMap((line) => {
    const [name, ...values] = line.split(' ');
    return [`--${name}`, ...values.map((value) => value.replaceAll('"', ''))];
  });

let server: RedisServer;
let check: RedisServerCheck;
beforeAll(async () => {
  server = await startRedis({ args: SETTINGS });
  await as(server.url, async (connection) => {
    check = await checkRedisServer(connection);
    for (const user of USERS) await connection.command('ACL', 'SETUSER', ...user.split(' ').slice(1));
  });
});
afterAll(() => server.stop());

/** Works on a connection to the server, with the user of an address. */
async function as<T>(address: string, work: (connection: RedisConnection) => Promise<T>): Promise<T> {
  const url = new URL(address);
  url.host = `127.0.0.1:${server.port}`;
  const connection = new RedisConnection({ url: url.href, log: silentLogger });
  await connection.connect();
  try {
    return await work(connection);
  } finally {
    connection.close();
  }
}

/** Works as a process does that has its address in a secret. */
const withSecret = (name: string, work: (connection: RedisConnection) => Promise<unknown>) =>
  as(readFileSync(deployed(`sandbox/secrets/${name}`), 'utf8').trim(), work);

const refusal = expect.objectContaining({ message: expect.stringContaining('NOPERM') });

describe('the Redis of deploy/', () => {
  test('has settings that nothing speaks against', () => {
    expect(check).toEqual({ faults: [], warnings: [] });
  });

  test.each(['redis-url-api', 'redis-url-worker'])('takes jobs over %s, and nothing that could lose them', (secret) =>
    withSecret(secret, async (connection) => {
      expect((await checkRedisServer(connection)).faults).toEqual([]);
      await new RedisBackend(connection, {}).assertWritable();
      for (const command of [
        ['FLUSHALL'],
        ['CONFIG', 'SET', 'appendonly', 'no'],
        ['SHUTDOWN'],
        ['SET', 'other', '1'],
      ]) {
        await expect(connection.command(...command)).rejects.toMatchObject({ cause: refusal });
      }
    }),
  );

  test('answers a ping without a password with the refusal that its health check takes for a sign of life', async () => {
    const socket = createConnection({ port: server.port, host: '127.0.0.1' });
    socket.write('PING\r\n');
    const [reply] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    expect(reply.toString()).toMatch(/^-NOAUTH/);
  });
});
