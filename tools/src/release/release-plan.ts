import { changelogEntry } from './changelog.ts';
import { readCommits, type Commit, weightOf } from './commit.ts';
import type { Git } from './git.ts';
import { type ImagePlan, planImages } from './image-plan.ts';
import { FIRST_VERSION, isNewer, isVersion, nextVersion } from './version.ts';

/** What a release of HEAD would be. */
export interface ReleasePlan {
  readonly version: string;
  readonly tag: string;
  /** Version of the release before; undefined for the first one. */
  readonly previous: string | undefined;
  /** Since the release before. */
  readonly commits: readonly Commit[];
  /** Its entry in the changelog. */
  readonly changelog: string;
  readonly images: readonly ImagePlan[];
}

/** What is asked for. */
export interface ReleaseWish {
  /** Version to take in place of the one that the commits ask for. */
  readonly version?: string;
  /** Date in the changelog, `2026-03-02`. */
  readonly date: string;
}

/**
 * Reads from git what a release of HEAD would be; changes nothing. Undefined where nothing that is run has changed since
 * the release before, and no version is asked for.
 *
 * @throws Error when the version that is asked for is none, or comes before the one of the last release
 */
export function planRelease(git: Git, { version: wished, date }: ReleaseWish): ReleasePlan | undefined {
  const previous = lastRelease(git, 'HEAD');
  const before = previous === undefined ? undefined : `v${previous}`;
  const commits = readCommits(git, before);
  const version = wished ?? versionFor(previous, commits);
  if (version === undefined) return undefined;
  if (!isVersion(version)) throw new Error(`${version} is no version: write it as 1.2.3.`);
  if (previous !== undefined && !isNewer(version, previous)) {
    throw new Error(`${version} does not come after ${previous}, the release before.`);
  }
  return {
    ...{ version, previous, commits, tag: `v${version}` },
    changelog: changelogEntry(version, date, commits),
    images: planImages(git, before),
  };
}

/** Version of the newest release that a commit contains. */
export function lastRelease(git: Git, commit: string): string | undefined {
  return newestOf(git, '--merged', commit);
}

/** Version of the newest release of all branches. */
export function newestRelease(git: Git): string | undefined {
  return newestOf(git);
}

function newestOf(git: Git, ...which: string[]): string | undefined {
  const tags = git.run('tag', '--list', 'v*', ...which, '--sort=-version:refname').split('\n');
  return tags.map((tag) => tag.slice(1)).find(isVersion);
}

function versionFor(previous: string | undefined, commits: readonly Commit[]): string | undefined {
  if (previous === undefined) return FIRST_VERSION;
  const weight = weightOf(commits);
  return weight && nextVersion(previous, weight);
}
