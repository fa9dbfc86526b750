import type { Git } from './git.ts';

/** What a commit asks of the next version. */
export type Weight = 'major' | 'minor' | 'patch';

/** A commit, read as https://www.conventionalcommits.org says. */
export interface Commit {
  readonly hash: string;
  /** `feat`, `fix` …; empty where the subject names none. */
  readonly type: string;
  readonly scope: string;
  readonly description: string;
  /** What breaks, in the words of its footer, or else its description; undefined where nothing does. */
  readonly breaking: string | undefined;
  /** The commits that it takes back. */
  readonly reverts: readonly string[];
}

/** Wider than the rule: who writes `Feat (api) !:` means a breaking change, and a release must not lose it. */
const SUBJECT = /^\s*(?<type>[a-z]+)\s*(?:\((?<scope>[^)]*)\))?\s*(?<mark>!)?\s*:\s*(?<description>.+)$/i;
const BREAKING = /^breaking[ -]changes?(?:\s*:|\s+#)\s*(?<what>.*(?:\n(?![\w-]+(?::\s|\s#)).+)*)/im;
const REVERTED = /This reverts commit (?<hash>[\da-f]{7,40})/g;

/** Types that change nothing of what is run. Any other, a mistyped one too, makes at least a patch. */
const WITHOUT_WEIGHT = new Set(['docs', 'test', 'ci', 'style']);

/** The commits since a tag, or all; the oldest first. What one of them adds and another takes back is left out. */
export function readCommits(git: Git, since: string | undefined): Commit[] {
  const range = since === undefined ? 'HEAD' : `${since}..HEAD`;
  const log = git.run('log', '-z', '--reverse', '--format=%H%n%B', range);
  const commits = log.split('\0').filter(Boolean).map(readCommit);
  const takenBack = new Set<string>();
  for (const { hash, reverts } of [...commits].reverse()) {
    if (takenBack.has(hash)) continue;
    const known = commits.filter((commit) => reverts.some((start) => commit.hash.startsWith(start)));
    if (known.length === 0) continue;
    for (const one of [hash, ...known.map((commit) => commit.hash)]) takenBack.add(one);
  }
  return commits.filter(({ hash }) => !takenBack.has(hash));
}

/** What the commits ask of the next version together; undefined where none of them changes what is run. */
export function weightOf(commits: readonly Commit[]): Weight | undefined {
  const weights = new Set(commits.map(weightOfOne));
  return (['major', 'minor', 'patch'] as const).find((weight) => weights.has(weight));
}

function weightOfOne({ type, breaking }: Commit): Weight | undefined {
  if (breaking !== undefined) return 'major';
  if (type === 'feat') return 'minor';
  return WITHOUT_WEIGHT.has(type) ? undefined : 'patch';
}

function readCommit(text: string): Commit {
  const [hash = '', subject = '', ...rest] = text.split('\n');
  const body = rest.join('\n');
  const { type = '', scope = '', mark, description = subject } = SUBJECT.exec(subject)?.groups ?? {};
  const footer = BREAKING.exec(body)?.groups?.what?.trim().replace(/\s+/g, ' ');
  const reverts = [...body.matchAll(REVERTED)].map((match) => match.groups?.hash ?? '');
  return {
    ...{ hash, scope: scope.trim(), description: description.trim(), reverts },
    type: reverts.length > 0 ? 'revert' : type.toLowerCase(),
    breaking: footer || (mark || footer === '' ? description.trim() : undefined),
  };
}
