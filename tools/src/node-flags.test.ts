import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NODE_FLAGS, REPOSITORY } from './repository.ts';

const read = (file: string) => readFileSync(join(REPOSITORY, file), 'utf8');

test('Object.prototype has no __proto__ in a process of ours', () => {
  expect(NODE_FLAGS).toContain('--disable-proto=delete');
});

test.each(['api', 'worker', 'sandbox'])('npm run %s starts node with the flags that npm start does', (command) => {
  const runner = read('tools/run.mjs');
  const [, flags = ''] = /^const NODE_FLAGS = \[(.*)\];$/m.exec(runner) ?? [];
  expect(flags).toBe(NODE_FLAGS.map((flag) => `'${flag}'`).join(', '));
  expect(new RegExp(`^  ${command}: \\{[^}]*\\bflags: NODE_FLAGS\\b[^}]*\\}`, 'm').test(runner)).toBe(true);
});

test('images start node with these flags, whatever is run in them', () => {
  const entrypoints = ['Dockerfile', 'Dockerfile.release', 'Dockerfile.extensions'].flatMap((file) =>
    [...read(`deploy/images/${file}`).matchAll(/^(?:ENTRYPOINT|CMD) (.*)$/gm)].map(([, command = '']) => command),
  );
  expect(entrypoints.map((command) => JSON.parse(command) as string[])).toEqual([['node', ...NODE_FLAGS, 'main.js']]);
});
