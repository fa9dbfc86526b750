import type { Git } from './git.ts';
import type { ReleasePlan } from './release-plan.ts';
import { testedTree } from './tested-tree.ts';

/** Branches that releases are made on. */
const BRANCH = /^(?:main|hotfix\/.+)$/;

/** Why a release must not be made of this checkout now, each with what to do; empty where nothing speaks against it. */
export function releaseRefusals(git: Git, plan: ReleasePlan, { tested }: { tested: boolean }): string[] {
  const refusals: string[] = [];
  const branch = git.run('rev-parse', '--abbrev-ref', 'HEAD');
  if (!BRANCH.test(branch)) {
    const here = branch === 'HEAD' ? 'no branch' : branch;
    refusals.push(`Releases are made on main, or on hotfix/… from the tag of a release; this is ${here}.`);
  }
  const tree = git.cleanTree();
  if (tree === undefined) {
    refusals.push('There are changes that are not committed; git status lists them. Commit or stash them.');
  } else if (!tested && testedTree(git) !== tree) {
    refusals.push('This content has not passed all tests here: run npm test, or say --tested if CI has passed it.');
  }
  const behind = Number(git.ask('rev-list', '--count', 'HEAD..@{upstream}') ?? 0);
  if (behind > 0) {
    const lacks = behind === 1 ? '1 commit' : `${behind} commits`;
    refusals.push(`${branch} lacks ${lacks} of its remote branch: git pull first.`);
  }
  if (git.ask('rev-parse', '--verify', '--quiet', `refs/tags/${plan.tag}`) !== undefined) {
    refusals.push(
      `There is a tag ${plan.tag} on another branch: merge that, or give a version after it; of an older release, release only fixes.`,
    );
  }
  if (git.run('rev-parse', '--is-shallow-repository') === 'true') {
    refusals.push('This clone is shallow and lacks commits of the release: git fetch --unshallow --tags first.');
  }
  return refusals;
}
