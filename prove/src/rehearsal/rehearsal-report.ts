import { textTable } from '@coordinator/tools';
import { holds, textOf, type Findings } from '../finding.ts';
import type { ToldRelease } from './scratch-clone.ts';
import type { Stage } from './roll-out.ts';

/** What a rehearsal has made, and what became of it. */
export interface Rehearsal {
  readonly change: { readonly message: string; readonly affected: readonly string[] };
  readonly older: { readonly version: string };
  readonly newer: ToldRelease;
  readonly stages: readonly Stage[];
  readonly findings: Findings;
}

/** The story of a rehearsal, from the commit to the accounts. */
export function rehearsalReport({ change, older, newer, stages, findings }: Rehearsal): string {
  const images = newer.images.map(({ app, action }) => `${app} ${action}`).join(', ');
  const facts = [
    ['commit', change.message],
    ['affected', `${change.affected.length} projects: ${change.affected.join(', ')}`],
    ['release', `${older.version} -> ${newer.version}, tag ${newer.tag}`],
    ['images', `${images}; run here as process trees, which hold the same files`],
  ];
  const expectations = findings.expectations.map(
    (found) => `  ${holds(found) ? 'ok    ' : 'BROKEN'}  ${textOf(found)}`,
  );
  const broken = findings.broken.length;
  return [
    ...facts.map(([name = '', value = '']) => `${name.padEnd(10)}${value}`),
    '',
    newer.changelog.trim().replaceAll(/^/gm, '    '),
    '',
    stageTable(stages),
    '',
    ...expectations,
    '',
    broken === 0 ? 'The rehearsal went well: nothing was lost.' : `The rehearsal failed: ${broken} broken.`,
  ].join('\n');
}

function stageTable(stages: readonly Stage[]): string {
  const rows = stages.map(({ title, releases: [api1, api2, worker1, worker2], accepted, effects, parked }) => [
    ...[title, `${api1} ${api2}`, `${worker1} ${worker2}`],
    ...[accepted, effects, parked].map(String),
  ]);
  return textTable(['stage', 'APIs', 'workers', 'orders accepted', 'enrolments', 'parked'], rows);
}
