import type { Commit } from './commit.ts';

const SECTIONS: readonly { readonly title: string; readonly types: readonly string[] }[] = [
  { title: 'Features', types: ['feat'] },
  { title: 'Fixes', types: ['fix'] },
  { title: 'Performance', types: ['perf'] },
  { title: 'Reverts', types: ['revert'] },
];

/** Types that say nothing to those who run or build on a release. Unknown ones are listed: better too much than a change lost. */
const LEFT_OUT = new Set(['build', 'chore', 'ci', 'docs', 'refactor', 'style', 'test']);

/** The entry of a release in the changelog, as Markdown. `date` is `2026-03-02`. */
export function changelogEntry(version: string, date: string, commits: readonly Commit[]): string {
  const named = new Set(SECTIONS.flatMap(({ types }) => types));
  const sections = [
    section('Breaking changes', commits.filter(({ breaking }) => breaking !== undefined).map(breakingLine)),
    ...SECTIONS.map(({ title, types }) =>
      section(
        title,
        lines(commits, (type) => types.includes(type)),
      ),
    ),
    section(
      'Other',
      lines(commits, (type) => !named.has(type) && !LEFT_OUT.has(type)),
    ),
  ].filter((text) => text !== '');
  const body = sections.length > 0 ? sections.join('\n') : 'No change that is seen from outside.\n';
  return `## ${version} (${date})\n\n${body}`;
}

/** The changelog with an entry put before the others. */
export function withEntry(changelog: string, entry: string): string {
  const [, ...entries] = changelog.split(/^(?=## )/m);
  return ['# Changelog\n', entry, ...entries.map((text) => text.trimEnd() + '\n')].join('\n');
}

function section(title: string, entries: readonly string[]): string {
  // Work that was merged twice is told once.
  return entries.length === 0 ? '' : `### ${title}\n\n${[...new Set(entries)].join('\n')}\n`;
}

function lines(commits: readonly Commit[], matches: (type: string) => boolean): string[] {
  const own = commits.filter(({ type }) => matches(type));
  return own.sort((a, b) => (a.scope < b.scope ? -1 : a.scope > b.scope ? 1 : 0)).map((commit) => line(commit));
}

function breakingLine(commit: Commit): string {
  const { breaking, description } = commit;
  return breaking === description ? line(commit) : `${line(commit)}\n  ${breaking}`;
}

function line({ scope, description }: Commit): string {
  return `- ${scope === '' ? '' : `**${scope}:** `}${description}`;
}
