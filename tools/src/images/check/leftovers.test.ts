import { expect, test } from '@jest/globals';
import { ImageEngine } from '../image-engine.ts';
import { Leftovers } from './leftovers.ts';

test('leftovers are removed once, the last one first, whatever fails on the way', async () => {
  const engine = new ImageEngine('podman');
  const removed: string[] = [];
  const leftovers = new Leftovers();
  leftovers.add(async () => removed.push('folder'));
  leftovers.add(() => Promise.reject(new Error('the image is in use')));
  leftovers.add(async ({ name }) => removed.push(`container of ${name}`));

  expect(await leftovers.remove(engine)).toEqual([new Error('the image is in use')]);
  expect(await leftovers.remove(engine)).toEqual([]);
  expect(removed).toEqual(['container of podman', 'folder']);
});
