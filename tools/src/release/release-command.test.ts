import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WorkspaceCopy } from './fixtures/workspace-copy.ts';
import type { LockedPackages } from '../locked-packages.ts';
import { releaseCommand } from './release-command.ts';
import { noteTestedTree } from './tested-tree.ts';

let workspace: WorkspaceCopy;
beforeEach(() => void (workspace = new WorkspaceCopy()));
afterEach(() => workspace.remove());

/** Runs the command; what it printed, and its exit code. */
function release(...args: string[]) {
  const said: string[] = [];
  const code = releaseCommand(args, (text) => said.push(text), workspace.folder);
  return { code, said: said.join('\n') };
}

function manifests() {
  const { packages } = JSON.parse(workspace.read('package-lock.json')) as { packages: LockedPackages };
  const folders = Object.keys(packages).filter((path) => path !== '' && !path.includes('node_modules/'));
  return folders.map((folder) => ({
    locked: packages[folder]?.version,
    ...(JSON.parse(workspace.read(`${folder}/package.json`)) as {
      name: string;
      version: string;
      dependencies?: Record<string, string>;
      devDependencies?: Record<string, string>;
    }),
  }));
}

test('a dry run tells version, changelog and images of the first release, and changes nothing', () => {
  const before = workspace.state();
  const { code, said } = release('--dry-run');
  expect(code).toBe(0);
  expect(said).toContain('0.1.0, the first release (1 commit)');
  expect(said).toContain('### Features\n\n- begin\n');
  expect(said).toContain('  coordinator-worker: build\n');
  expect(workspace.state()).toBe(before);
});

test('releases follow each other with one version for all packages, and a re-tag for an image that stayed as it was', () => {
  expect(release('--tested')).toMatchObject({ code: 0, said: expect.stringContaining('Released as v0.1.0') });
  workspace.commit('fix(coordinator-worker)!: stop sooner\n\nBREAKING CHANGE: set the grace', {
    'apps/coordinator-worker/src/main.ts': 'stop();',
  });
  const { said } = release('--tested');
  expect(said).toContain('0.1.0 → 0.2.0 (1 commit)');
  expect(said).toContain('coordinator-api: re-tag, as nothing of it has changed since 0.1.0');
  expect(said).toContain('coordinator-worker: build, because of\n    apps/coordinator-worker/src/main.ts');

  const git = workspace.git;
  expect(git.cleanTree()).toBe(git.run('rev-parse', 'v0.2.0^{tree}'));
  expect(git.run('log', '--format=%s', 'v0.1.0..v0.2.0').split('\n')[0]).toBe('build(release): v0.2.0');
  expect(git.run('cat-file', '-p', 'v0.2.0')).toContain('### Breaking changes');
  const changelog = workspace.read('CHANGELOG.md');
  expect(changelog).toMatch(/^# Changelog\n\n## 0\.2\.0 .*\n\n### Breaking changes\n\n- .*\n {2}set the grace\n/);
  expect(changelog.match(/^## .*/gm)).toEqual([
    expect.stringMatching(/^## 0\.2\.0/),
    expect.stringMatching(/^## 0\.1\.0/),
  ]);
  for (const { name, version, locked, dependencies, devDependencies } of manifests()) {
    expect([name, version, locked]).toEqual([name, '0.2.0', '0.2.0']);
    const ours = Object.entries({ ...dependencies, ...devDependencies }).filter(([key]) =>
      key.startsWith('@coordinator/'),
    );
    expect(ours.filter(([, range]) => range !== '0.2.0')).toEqual([]);
  }
}, 120_000);

test('a release that fails halfway leaves everything as it was', () => {
  const hook = join(workspace.folder, '.git', 'hooks', 'pre-commit');
  mkdirSync(join(hook, '..'), { recursive: true });
  writeFileSync(hook, '#!/bin/sh\necho the hook says no >&2\nexit 1\n');
  chmodSync(hook, 0o755);
  const before = workspace.state();
  expect(() => release('--tested')).toThrow(/Nothing was released, everything is as it was:\n.*the hook says no/);
  // Nx keeps its cache there.
  expect(workspace.state().replace(/^\.\/\.nx\/.*\n/gm, '')).toBe(before);
}, 60_000);

describe('a release is refused', () => {
  function refusal(...args: string[]): string {
    const before = workspace.state();
    let said = '';
    try {
      release(...args);
    } catch (error) {
      said = (error as Error).message;
    }
    expect(workspace.state()).toBe(before);
    return said;
  }

  test('while something is not committed, a new file too', () => {
    workspace.write('libs/tasks/src/new.ts', '');
    expect(refusal('--tested')).toContain('changes that are not committed');
  });

  test('from another branch than main and hotfix/…', () => {
    workspace.git.run('checkout', '--quiet', '-b', 'topic');
    expect(refusal('--tested')).toBe(
      'Not released:\n  - Releases are made on main, or on hotfix/… from the tag of a release; this is topic.',
    );
  });

  test('from no branch at all', () => {
    workspace.git.run('checkout', '--quiet', '--detach');
    expect(refusal('--tested')).toContain('this is no branch.');
  });

  test('of content that has not passed npm test here, until it has', () => {
    noteTestedTree(workspace.git, workspace.git.run('rev-parse', 'HEAD^{tree}'));
    expect(release('--dry-run').said).not.toContain('refused');
    workspace.commit('fix: something', { 'libs/tasks/src/task.ts': '-' });
    expect(refusal()).toContain('run npm test, or say --tested');
  });

  test('of a branch that lacks what its remote branch has', () => {
    workspace.commit('fix: theirs');
    workspace.git.run('update-ref', 'refs/remotes/origin/main', 'HEAD');
    workspace.git.run('config', 'remote.origin.fetch', '+refs/heads/*:refs/remotes/origin/*');
    workspace.git.run('config', 'remote.origin.url', '.');
    workspace.git.run('branch', '--quiet', '--set-upstream-to=origin/main');
    workspace.git.run('reset', '--quiet', '--hard', 'HEAD~1');
    expect(refusal('--tested')).toContain('main lacks 1 commit of its remote branch');
  });

  test('under a version that was released on another branch', () => {
    workspace.tag('v0.1.0');
    workspace.commit('fix: main goes on');
    workspace.tag('v0.1.1');
    workspace.git.run('checkout', '--quiet', '-b', 'hotfix/0.1', 'v0.1.0');
    workspace.commit('fix: in haste');
    expect(refusal('--tested')).toContain('There is a tag v0.1.1 on another branch');
  });

  test.each([
    ['0.1.0', '0.1.0 does not come after 0.1.0'],
    ['soon', 'soon is no version: write it as 1.2.3.'],
    ['--dryrun', "Unknown option '--dryrun'"],
  ])('when it is asked for as %s', (argument, words) => {
    workspace.tag('v0.1.0');
    expect(refusal('--tested', argument)).toContain(words);
  });
});

test('where only documents and tests have changed, there is nothing to release, unless a version is given', () => {
  workspace.tag('v0.1.0');
  workspace.commit('docs: say more', { 'README.md': 'more' });
  const nothing =
    'There is nothing to release: nothing that is run has changed since 0.1.0. Give a version to force it.';
  expect(release('--dry-run')).toEqual({ code: 1, said: nothing });
  expect(release('--dry-run', '--json')).toEqual({ code: 1, said: 'null' });
  const plan = JSON.parse(release('v1.0.0', '--dry-run', '--json').said) as object;
  expect(plan).toMatchObject({
    version: '1.0.0',
    previous: '0.1.0',
    images: [{ action: 're-tag' }, { action: 're-tag' }, { action: 're-tag' }],
  });
});
