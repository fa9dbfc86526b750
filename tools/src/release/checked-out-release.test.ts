import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { checkedOutRelease } from './checked-out-release.ts';
import { WorkspaceCopy } from './fixtures/workspace-copy.ts';

let workspace: WorkspaceCopy;
beforeEach(() => void (workspace = new WorkspaceCopy()));
afterEach(() => workspace.remove());

/** A release as npm run release leaves it, with these files changed; the hash of its commit. */
function release(version: string, files: Readonly<Record<string, string>> = {}): string {
  workspace.commit(`build(release): v${version}`, files);
  workspace.tag(`v${version}`);
  return workspace.git.run('rev-parse', 'HEAD');
}

/** What becomes of each image. */
function actions(): Record<string, string> {
  const { images } = checkedOutRelease(workspace.git);
  return Object.fromEntries(images.map(({ app, action }) => [app, action]));
}

test('all images of the first release are built', () => {
  release('0.1.0');
  expect(checkedOutRelease(workspace.git)).toMatchObject({ version: '0.1.0', previous: undefined });
  expect(actions()).toEqual({ 'coordinator-api': 'build', 'coordinator-worker': 'build', sandbox: 'build' });
});

test('images are compared with those of the release before, whose commit they must come from', () => {
  const commit = release('0.1.0');
  release('0.1.1', { 'apps/coordinator-worker/src/main.ts': 'work();' });
  expect(checkedOutRelease(workspace.git).previous).toEqual({ version: '0.1.0', commit });
  expect(actions()).toEqual({ 'coordinator-api': 're-tag', 'coordinator-worker': 'build', sandbox: 're-tag' });
});

test('a hotfix of an older release does not become the latest', () => {
  release('0.1.0');
  release('0.2.0');
  expect(checkedOutRelease(workspace.git).imageTags).toEqual(['0.2.0', 'latest']);
  workspace.git.run('checkout', '--quiet', '-b', 'hotfix/0.1', 'v0.1.0');
  release('0.1.1');
  expect(checkedOutRelease(workspace.git)).toMatchObject({ previous: { version: '0.1.0' }, imageTags: ['0.1.1'] });
});

test('what is no release is refused, with the way to the last one', () => {
  expect(() => checkedOutRelease(workspace.git)).toThrow('There is no release yet: npm run release makes one.');
  release('0.1.0');
  workspace.commit('fix: more');
  expect(() => checkedOutRelease(workspace.git)).toThrow('git checkout v0.1.0');
});

test('a release with changes is refused', () => {
  release('0.1.0');
  workspace.write('libs/tasks/src/new.ts', '');
  expect(() => checkedOutRelease(workspace.git)).toThrow('changes that are not part of v0.1.0');
});
