import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { MemoryWatch } from './memory-watch.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

/** Asks as traffic does, and gives what is known once the look that this has begun is answered. */
async function isFullAtTheNextLook(watch: MemoryWatch): Promise<boolean> {
  jest.advanceTimersByTime(1_000);
  watch.isFull();
  await jest.advanceTimersByTimeAsync(0);
  return watch.isFull();
}

test('a full Redis that does not answer the next look is still full, and no longer when an answer says so', async () => {
  const answers = [
    'maxmemory:100\r\nused_memory:80\r\n',
    new Error('no answer'),
    'maxmemory:100\r\nused_memory:79\r\n',
  ];
  const watch = new MemoryWatch(async () => {
    const answer = answers.shift();
    if (typeof answer !== 'string') throw answer;
    return answer;
  });

  expect(await isFullAtTheNextLook(watch)).toBe(true);
  expect(await isFullAtTheNextLook(watch)).toBe(true);
  expect(await isFullAtTheNextLook(watch)).toBe(false);
});

test('where INFO is forbidden nothing is ever full', async () => {
  const watch = new MemoryWatch(async () => {
    throw new Error('NOPERM');
  });
  expect(await isFullAtTheNextLook(watch)).toBe(false);
});

test('a full Redis that nobody has looked at for long may have become empty: it decides itself', async () => {
  const watch = new MemoryWatch(async () => 'maxmemory:100\r\nused_memory:80\r\n');
  expect(await isFullAtTheNextLook(watch)).toBe(true);
  jest.advanceTimersByTime(1_999);
  expect(watch.isFull()).toBe(true);
  await jest.advanceTimersByTimeAsync(2_000);
  expect(watch.isFull()).toBe(false);
  expect(await isFullAtTheNextLook(watch)).toBe(true);
});
