import { silentLogger } from '@coordinator/logging';
import { eventually, leakChecks, privateRedis } from '@coordinator/task-testing';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { checkLayout, keepLayout, layouts, type Layouts } from './layout.ts';
import { RedisConnection } from './redis-connection.ts';

const redis = privateRedis();
leakChecks();

let prefix: string;
let connection: RedisConnection;
beforeEach(() => {
  prefix = redis.freshPrefix();
  connection = new RedisConnection({ url: redis.url, log: silentLogger });
});
afterEach(() => connection.close());

/** Connects as a process of a release does that knows these layouts. */
const startAs = (known: Layouts) => connection.connect(({ run }) => keepLayout(run, prefix, known));
const held = () => redis.command('GET', `${prefix}:layout`);

describe('a process', () => {
  test('writes its layout to a Redis without one', async () => {
    await connection.connect(({ run }) => keepLayout(run, prefix));
    expect(await held()).toBe(String(layouts.ours));
  });

  test('starts where its own layout stands', async () => {
    await redis.command('SET', `${prefix}:layout`, '3');
    await startAs({ ours: 3, oldest: 2 });
    expect(await connection.command('PING')).toBe('PONG');
    expect(await held()).toBe('3');
  });

  test('moves an older layout on that it can work on', async () => {
    await redis.command('SET', `${prefix}:layout`, '2');
    await startAs({ ours: 3, oldest: 2 });
    expect(await held()).toBe('3');
  });

  test.each([
    ['of a newer release', '4', /holds layout 4, and this release knows 3: .* Start that release, or a newer one/],
    [
      'older than it can work on',
      '1',
      /holds layout 1, and this release works on 2 or newer: start a release in between/,
    ],
    ['that is no number', 'garbage', /:layout holds no number: .* Set it to the layout/],
  ])('refuses a layout %s, says what to do, and touches nothing', async (_which, found, message) => {
    await redis.command('SET', `${prefix}:layout`, found);
    const refusal = { code: 'COORD_LAYOUT_UNKNOWN', message: expect.stringMatching(message) };
    await expect(startAs({ ours: 3, oldest: 2 })).rejects.toMatchObject(refusal);
    expect(await held()).toBe(found);
    await expect(connection.command('PING')).rejects.toMatchObject({ code: 'COORD_QUEUE_UNAVAILABLE' });
  });

  test('refuses a layout that is no string', async () => {
    await redis.command('RPUSH', `${prefix}:layout`, '1');
    await expect(startAs({ ours: 3, oldest: 2 })).rejects.toMatchObject({ code: 'COORD_LAYOUT_UNKNOWN' });
  });

  test('waits for a Redis that is away, and lets nothing through before it has looked', async () => {
    await redis.command('SET', `${prefix}:layout`, '3');
    await redis.server.kill();
    const started = startAs({ ours: 3, oldest: 3 });
    await expect(connection.command('PING')).rejects.toMatchObject({ code: 'COORD_QUEUE_UNAVAILABLE' });
    await redis.server.restart();
    await started;
    await eventually(async () => expect(await connection.command('PING')).toBe('PONG'));
  });
});

describe('a command', () => {
  test('of a newer release leaves an older layout as it is: the processes may be of the older one', async () => {
    await redis.command('SET', `${prefix}:layout`, '2');
    await connection.connect(({ run }) => checkLayout(run, prefix, { ours: 3, oldest: 2 }));
    expect(await held()).toBe('2');
  });

  test('refuses what a process refuses', async () => {
    await redis.command('SET', `${prefix}:layout`, '4');
    const check = connection.connect(({ run }) => checkLayout(run, prefix, { ours: 3, oldest: 2 }));
    await expect(check).rejects.toMatchObject({ code: 'COORD_LAYOUT_UNKNOWN' });
  });
});
