import type { Weight } from './commit.ts';

const VERSION = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$/;

/** The version of the first release. */
export const FIRST_VERSION = '0.1.0';

/** Whether it is `major.minor.patch`; pre-releases are none of ours. */
export function isVersion(text: string): boolean {
  return VERSION.test(text);
}

/**
 * The version after `current`. From 1.0.0 on as https://semver.org says. Before, a breaking change raises the minor and
 * everything else the patch, which is how npm reads `^0.1.0`.
 */
export function nextVersion(current: string, weight: Weight): string {
  const [major, minor, patch] = numbersOf(current);
  const raise = major > 0 ? weight : ({ major: 'minor', minor: 'patch', patch: 'patch' } as const)[weight];
  if (raise === 'major') return `${major + 1}.0.0`;
  return raise === 'minor' ? `${major}.${minor + 1}.0` : `${major}.${minor}.${patch + 1}`;
}

/** Whether `version` comes after `other`. */
export function isNewer(version: string, other: string): boolean {
  const [major, minor, patch] = numbersOf(version);
  const [otherMajor, otherMinor, otherPatch] = numbersOf(other);
  return (major - otherMajor || minor - otherMinor || patch - otherPatch) > 0;
}

function numbersOf(version: string): [number, number, number] {
  const [, major, minor, patch] = VERSION.exec(version) ?? [];
  if (patch === undefined) throw new Error(`${version} is no version: write it as 1.2.3.`);
  return [Number(major), Number(minor), Number(patch)];
}
