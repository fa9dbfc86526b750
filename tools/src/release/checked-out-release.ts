import type { Git } from './git.ts';
import { type ImagePlan, planImages } from './image-plan.ts';
import { lastRelease, newestRelease } from './release-plan.ts';

/** A release that was made, and is checked out. */
export interface CheckedOutRelease {
  readonly version: string;
  /** The release before; undefined for the first one. */
  readonly previous: { readonly version: string; readonly commit: string } | undefined;
  readonly images: readonly ImagePlan[];
  /** Tags of its images: the version, and `latest` unless there is a newer release, which a hotfix must not take it from. */
  readonly imageTags: readonly string[];
}

/** Reads from git which release HEAD is. @throws Error when it is none, or when files differ from it */
export function checkedOutRelease(git: Git): CheckedOutRelease {
  const version = lastRelease(git, 'HEAD');
  if (version === undefined) throw new Error('There is no release yet: npm run release makes one.');
  if (commitOf(git, `v${version}`) !== git.run('rev-parse', 'HEAD')) {
    throw new Error(`What is checked out is no release; the last one before it: git checkout v${version}.`);
  }
  if (git.cleanTree() === undefined) {
    throw new Error(`There are changes that are not part of v${version}: git status lists them. Stash them first.`);
  }
  const before = lastRelease(git, 'HEAD^');
  return {
    version,
    previous: before === undefined ? undefined : { version: before, commit: commitOf(git, `v${before}`) },
    images: planImages(git, before === undefined ? undefined : `v${before}`),
    imageTags: newestRelease(git) === version ? [version, 'latest'] : [version],
  };
}

function commitOf(git: Git, tag: string): string {
  return git.run('rev-parse', `${tag}^{commit}`);
}
