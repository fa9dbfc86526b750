import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { imagesNamed } from './app-image.ts';
import { imageLabels, sourceUrl } from './image-labels.ts';

let workspace: string;

beforeEach(() => {
  workspace = mkdtempSync(join(tmpdir(), 'image-labels-'));
});
afterEach(() => rmSync(workspace, { recursive: true }));

function git(...args: string[]): string {
  const who = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.test'];
  return execFileSync('git', [...who, ...args], { cwd: workspace, encoding: 'utf8' }).trim();
}

function change(file: string, text: string): void {
  mkdirSync(dirname(join(workspace, file)), { recursive: true });
  writeFileSync(join(workspace, file), text);
}

function commit(file: string, text: string): string {
  change(file, text);
  git('add', '--all');
  git('commit', '--quiet', '--message', file);
  return git('rev-parse', 'HEAD');
}

async function labels(base = 'base:24'): Promise<Record<string, string>> {
  const [image] = imagesNamed(['api']);
  return imageLabels(image!, { release: '1.2.3', folders: ['apps/api', 'libs/tasks'] }, { workspace, base });
}

const key = (name: string) => `org.opencontainers.image.${name}`;

test('the revision is the last commit that changed what the image is made of', async () => {
  git('init', '--quiet');
  const sha = commit('libs/tasks/index.ts', 'one');
  commit('docs/guide.md', 'about something else');
  expect(await labels()).toMatchObject({
    [key('revision')]: sha,
    [key('created')]: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    [key('version')]: '1.2.3',
    [key('title')]: 'coordinator-api',
    [key('base.name')]: 'base:24',
  });

  const lock = commit('package-lock.json', '{}');
  expect(await labels()).toMatchObject({ [key('revision')]: lock });
});

test('a change that is not committed is told', async () => {
  git('init', '--quiet');
  const sha = commit('libs/tasks/index.ts', 'one');
  change('docs/guide.md', 'about something else');
  expect(await labels()).toMatchObject({ [key('revision')]: sha });
  change('libs/tasks/index.ts', 'two');
  expect(await labels()).toMatchObject({ [key('revision')]: `${sha}-dirty` });
});

test('without git there is no revision', async () => {
  const known = await labels();
  expect(known).toMatchObject({ [key('version')]: '1.2.3' });
  expect(known).not.toHaveProperty([key('revision')]);
});

test('a base that is pinned is told by name and digest', async () => {
  expect(await labels()).not.toHaveProperty([key('base.digest')]);
  expect(await labels('example.com/base:24@sha256:1234')).toMatchObject({
    [key('base.name')]: 'example.com/base:24',
    [key('base.digest')]: 'sha256:1234',
  });
});

test.each([
  ['git@example.com:shop/coordinator.git', 'https://example.com/shop/coordinator'],
  ['ssh://git@example.com:2222/shop/coordinator.git', 'https://example.com/shop/coordinator'],
  ['https://ada:SECRET@example.com/shop/coordinator', 'https://example.com/shop/coordinator'],
  ['/srv/git/coordinator', undefined],
  ['', undefined],
])('the sources of the remote "%s" are at %s', (remote, url) => {
  expect(sourceUrl(remote)).toBe(url);
});
