import { execFileSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { REPOSITORY } from '../repository.ts';
import { publishedPackages } from './published-packages.ts';

const published = publishedPackages(REPOSITORY);

test('the packages that extensions elsewhere are built on can be had, and what they need too', () => {
  const names = published.map(({ manifest }) => manifest.name);
  expect(names).toEqual(expect.arrayContaining(['@coordinator/extension', '@coordinator/task-testing']));
  const needed = published.flatMap(({ manifest }) => Object.keys(manifest.dependencies ?? {}));
  expect(needed.filter((name) => name.startsWith('@coordinator/') && !names.includes(name))).toEqual([]);
});

test('they hold what is built, their scripts for Redis and the license, and no sources or tests', () => {
  const folders = published.map(({ folder }) => `--workspace=${folder}`);
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts', '--loglevel=error', ...folders];
  const printed = execFileSync('npm', args, { cwd: REPOSITORY, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  const packed = JSON.parse(printed) as { name: string; files: { path: string }[] }[];
  expect(packed).toHaveLength(published.length);
  for (const { name, files } of packed) {
    const paths = files.map(({ path }) => path);
    expect([name, ...paths]).toEqual(
      expect.arrayContaining([name, 'package.json', 'LICENSE', 'dist/index.js', 'dist/index.d.ts']),
    );
    const expected = /^(?:package\.json|LICENSE|dist\/.*\.(?:js|d\.ts)(?:\.map)?|lua\/[\w-]+\.lua)$/;
    expect([
      name,
      ...paths.filter((path) => !expected.test(path) || /\.test\.|fixtures|conformance/.test(path)),
    ]).toEqual([name]);
  }
  expect(packed.find(({ name }) => name === '@coordinator/tasks')?.files).toContainEqual(
    expect.objectContaining({ path: 'lua/enqueue.lua' }),
  );
}, 60_000);
