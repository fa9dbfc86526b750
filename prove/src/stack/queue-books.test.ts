import { describe, expect, test } from '@jest/globals';
import { privateRedis } from '@coordinator/task-testing';
import { missing, open, queueBooks } from './queue-books.ts';

const redis = privateRedis();
const key = (part: string) => `{cc}:q:orders:${part}`;
const read = () => queueBooks((...args) => redis.command(...args), 'orders');

/** Nine jobs, of which none is in the same place as another, but two that wait. */
async function nineJobs(): Promise<void> {
  await redis.command('HSET', key('counts'), 'accepted', '9', 'completed', '2', 'dead', '1', 'cancelled', '1');
  await redis.command('RPUSH', key('waiting'), 'a');
  await redis.command('RPUSH', key('active'), 'b', 'c');
  await redis.command('HSET', '{cc}:job:b', 'state', 'running');
  await redis.command('HSET', '{cc}:job:c', 'state', 'waiting');
  await redis.command('ZADD', key('delayed'), '1', 'd');
  await redis.command('ZADD', key('parked'), '1', 'e');
}

describe('the books of a queue', () => {
  test('of an empty one are empty, and balance', async () => {
    const books = await read();
    expect([open(books), missing(books)]).toEqual([0, 0]);
  });

  test('count each job where it is: one that was popped and not claimed still waits', async () => {
    await nineJobs();
    const books = await read();
    expect(books).toEqual({
      ...{ accepted: 9, waiting: 2, scheduled: 1, running: 1, blocked: 0, parked: 1 },
      ...{ completed: 2, dead: 1, cancelled: 1 },
    });
    expect([open(books), missing(books)]).toEqual([5, 0]);
  });

  test('miss a job that is nowhere, and show one that is in two places', async () => {
    await nineJobs();
    await redis.command('ZREM', key('delayed'), 'd');
    expect(missing(await read())).toBe(1);
    await redis.command('RPUSH', key('waiting'), 'd', 'd');
    expect(missing(await read())).toBe(-1);
  });
});
