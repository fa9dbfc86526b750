import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Commit, readCommits, weightOf } from './commit.ts';
import { WorkspaceCopy } from './fixtures/workspace-copy.ts';

let workspace: WorkspaceCopy;
beforeAll(() => void (workspace = new WorkspaceCopy()));
afterAll(() => workspace.remove());

/** What is read of commits with these messages, in this order. */
function read(...messages: string[]): Commit[] {
  workspace.tag('v0.0.1');
  for (const message of messages) workspace.commit(message);
  const commits = readCommits(workspace.git, 'v0.0.1');
  workspace.git.run('tag', '--delete', 'v0.0.1');
  return commits;
}

describe('a breaking commit is not lost', () => {
  test.each([
    ['feat!: drop Node 20', 'drop Node 20'],
    ['refactor(tasks)!: rename a field', 'rename a field'],
    ['docs!: promise less', 'promise less'],
    ['Fix (api) ! : answer 422', 'answer 422'],
    ['fix: answer 422\n\nBREAKING CHANGE: it was 400', 'it was 400'],
    [
      'fix: answer 422\n\nWhy.\n\nBREAKING-CHANGE: it was 400,\nand is no more\nRefs: #12',
      'it was 400, and is no more',
    ],
    ['test: hold it\n\nbreaking changes #all of it', 'all of it'],
    ['Rename all that there is\n\nBREAKING CHANGE: names', 'names'],
    ["Merge branch 'api'\n\nBREAKING CHANGE:\n", "Merge branch 'api'"],
  ])('written as %j', (message, breaking) => {
    const commits = read(message);
    expect(commits).toEqual([expect.objectContaining({ breaking })]);
    expect(weightOf(commits)).toBe('major');
  });

  test('because another one takes back something else', () => {
    const [breaking] = read('feat!: drop Node 20');
    const commits = read('feat(api): more', `revert: feat\n\nThis reverts commit ${breaking?.hash}.`, 'fix!: less');
    expect(commits.map(({ type, breaking: what }) => [type, what])).toEqual([
      ['feat', undefined],
      ['revert', undefined],
      ['fix', 'less'],
    ]);
  });
});

test.each([
  ['feat(api): take more', 'minor'],
  ['fix: take less', 'patch'],
  ['build(deps): update undici', 'patch'],
  ['Mend it', 'patch'],
  ['docs: say more', undefined],
  ['test(tasks): hold it', undefined],
  ['ci: run it nightly', undefined],
])('the commit %j asks for %p', (message, weight) => {
  expect(weightOf(read(message))).toBe(weight);
});

test('the weightiest commit decides, whatever comes after it', () => {
  expect(weightOf(read('fix: one', 'feat: two', 'docs: three'))).toBe('minor');
});

test('a commit that is taken back counts no more, and one whose revert is taken back does', () => {
  const at = (index: number, commits: Commit[]) => commits[index]?.hash ?? '';
  workspace.tag('v0.0.2');
  workspace.commit('feat!: drop Node 20');
  workspace.commit('fix: stay');
  const added = readCommits(workspace.git, 'v0.0.2');
  workspace.commit(`Revert "feat!: drop Node 20"\n\nThis reverts commit ${at(0, added)}.`);
  expect(readCommits(workspace.git, 'v0.0.2').map(({ description }) => description)).toEqual(['stay']);

  const revert = workspace.git.run('rev-parse', 'HEAD');
  workspace.commit(`Reapply "feat!: drop Node 20"\n\nThis reverts commit ${revert}.`);
  expect(weightOf(readCommits(workspace.git, 'v0.0.2'))).toBe('major');
});
