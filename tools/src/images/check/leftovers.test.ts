import { expect, test } from '@jest/globals';
import { Leftovers } from './leftovers.ts';

test('leftovers are removed once, the last one first, whatever fails on the way', async () => {
  const removed: string[] = [];
  const leftovers = new Leftovers();
  leftovers.add(async () => removed.push('folder'));
  leftovers.add(() => Promise.reject(new Error('the image is in use')));
  leftovers.add(async () => removed.push('container'));

  expect(await leftovers.remove()).toEqual([new Error('the image is in use')]);
  expect(await leftovers.remove()).toEqual([]);
  expect(removed).toEqual(['container', 'folder']);
});
