import { silentLogger } from '@coordinator/logging';
import { eventually, leakChecks, privateRedis, startRedis, type RedisServer } from '@coordinator/task-testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { RedisBackend } from './redis-backend.ts';
import { RedisConnection } from './redis-connection.ts';
import { ReliableQueue } from './reliable-queue.ts';

let replica: RedisServer;
let connection: RedisConnection;
let cautious: RedisConnection;

// Above privateRedis(): hooks run in the order in which they are written.
afterAll(() => replica.stop());
const redis = privateRedis();
leakChecks();

const connect = async (waitReplicas: number) => {
  const made = new RedisConnection({ url: redis.url, log: silentLogger, waitReplicas });
  await made.connect();
  return made;
};
beforeAll(async () => {
  replica = await startRedis({
    appendfsync: 'no-aof',
    args: ['--replicaof', '127.0.0.1', String(redis.server.port)],
  });
  await redis.command('CONFIG', 'SET', 'repl-diskless-sync-delay', '0');
});
beforeEach(async () => {
  connection = await connect(0);
  cautious = await connect(1);
  await eventually(() => cautious.confirmed(() => cautious.command('SET', 'seen', '1')));
});
afterEach(() => {
  replica.resume();
  connection.close();
  cautious.close();
});

/** Makes the other server a replica, or a master with 'NO', 'ONE'. */
async function replicate(...of: string[]): Promise<void> {
  const its = new RedisConnection({ url: replica.url, log: silentLogger, commandDeadlineMs: 5_000 });
  await its.connect();
  await its.command('REPLICAOF', ...of);
  its.close();
}

const set = (key: string) => cautious.confirmed(() => cautious.command('SET', key, '1'));

describe('a write that replicas have to confirm', () => {
  test('is not told to be done while they have not, although it is stored, and is once they have', async () => {
    replica.pause();
    await expect(set('key')).rejects.toMatchObject({
      code: 'COORD_QUEUE_UNAVAILABLE',
      message: expect.stringContaining('it may be stored'),
    });
    expect(await connection.command('GET', 'key')).toBe('1');
    replica.resume();
    await eventually(() => set('key'));
  });

  test('is not told to be done by a connection that did not write it', async () => {
    const id = await cautious.command('CLIENT', 'ID');
    const written = cautious.confirmed(async () => {
      await cautious.command('SET', 'key', '1');
      await connection.command('CLIENT', 'KILL', 'ID', String(id));
      await eventually(() => cautious.command('PING'));
    });
    await expect(written).rejects.toMatchObject({ message: expect.stringContaining('it may be stored') });
  });

  test('shares the question with those that are done at the same time', async () => {
    await redis.command('CONFIG', 'RESETSTAT');
    await Promise.all(Array.from({ length: 100 }, (_, i) => set(`key-${i}`)));
    const stats = (await redis.command('INFO', 'commandstats')) as string;
    expect(Number(/cmdstat_wait:calls=(\d+)/.exec(stats)?.[1])).toBeLessThan(20);
  });

  test('makes Redis count as not writable while none is there', async () => {
    replica.pause();
    await expect(new RedisBackend(cautious).assertWritable()).rejects.toMatchObject({
      code: 'COORD_QUEUE_UNAVAILABLE',
    });
    await new RedisBackend(connection).assertWritable();
  });
});

test('the pop looks for the new master for as long as it meets a demoted one', async () => {
  const backend = new RedisBackend(connection, { keyPrefix: redis.freshPrefix() });
  const queue = new ReliableQueue('lms', {
    ...{ url: redis.url, backend, readable: [], leaseMs: 1_000, log: silentLogger },
    onClaimed: () => undefined,
  });
  const connectionsMade = async () => {
    const stats = (await connection.command('INFO', 'stats')) as string;
    return Number(/total_connections_received:(\d+)/.exec(stats)?.[1]);
  };
  queue.consume(1, async () => undefined);
  try {
    // As after a failover: the new master is there, and the old one follows it.
    await replicate('NO', 'ONE');
    await redis.command('REPLICAOF', '127.0.0.1', String(replica.port));
    await eventually(async () =>
      expect(await connection.command('INFO', 'replication')).toContain('master_link_status:up'),
    );
    const before = await connectionsMade();
    // Redis itself cuts off a pop that is blocked; those after it are refused.
    await eventually(async () => expect((await connectionsMade()) - before).toBeGreaterThan(5));
  } finally {
    await redis.command('REPLICAOF', 'NO', 'ONE');
    await queue.stopPopping();
    await replicate('127.0.0.1', String(redis.server.port));
  }
});
