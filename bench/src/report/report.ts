import { listFacts, markdownTable, type RunFacts } from '@coordinator/tools';
import type { Series } from '../rounds.ts';
import { ratioOf, spreadOf, type Spread } from '../statistics.ts';

/** One of the two benchmarks, measured. */
export interface Section {
  readonly title: string;
  /** What was measured and how, in Markdown. */
  readonly about: string;
  readonly series: readonly Series[];
  /** Name of the series that the others are compared with. */
  readonly baseline: string;
  /** What the ratios are to stay below, by name of the series. */
  readonly aims: ReadonlyMap<string, number>;
}

const times = ({ median, least, greatest }: Spread) =>
  `${median.toFixed(2)} (${least.toFixed(2)}–${greatest.toFixed(2)})`;
const micros = ({ median, least, greatest }: Spread) =>
  `${median.toFixed(0)} (${least.toFixed(0)}–${greatest.toFixed(0)})`;
const node = ({ measurements }: Series) => measurements.map(({ nodeUs }) => nodeUs);
const redis = ({ measurements }: Series) => measurements.map(({ redisUs }) => redisUs);
const both = ({ measurements }: Series) => measurements.map(({ nodeUs, redisUs }) => nodeUs + redisUs);

/** Writes a run as Markdown: ratios first, then whether the aim is met, then what they were made from. */
export function reportOf(sections: readonly Section[], command: string, facts: RunFacts): string {
  return `# Benchmarks

Written by \`${command}\` on ${facts.date}.

Ratios are of CPU time, taken round by round: the median of all rounds, with the least and the greatest in brackets.
Below 1 is cheaper than what is compared with. They say nothing about how long a caller waits: that depends on the disk
under Redis, which has written every job before it answers.

${sections.map(sectionText).join('\n\n')}

## Where this ran

${listFacts(facts)}
`;
}

function sectionText({ title, about, series, baseline, aims }: Section): string {
  const base = series.find(({ name }) => name === baseline) as Series;
  const columns = [node, redis, both];
  const ratios = series.map((one) => [one.name, ...columns.map((column) => times(ratioOf(column(one), column(base))))]);
  const absolute = series.map((one) => [one.name, ...columns.map((column) => micros(spreadOf(column(one))))]);
  const verdicts = series.flatMap((one) => {
    const aim = aims.get(one.name);
    return aim === undefined ? [] : [verdict(one, base, aim)];
  });
  const remarks = series.flatMap((one) => one.remarks);
  const rounds = base.measurements.length;
  return [
    `## ${title}`,
    about,
    `CPU time against “${baseline}”, ${rounds} ${rounds === 1 ? 'round' : 'rounds'}:`,
    markdownTable(['', 'Node', 'Redis', 'Node + Redis'], ratios, { numbers: true }),
    [...verdicts, ...remarks].map((line) => `- ${line}`).join('\n'),
    'The same in microseconds. These say nothing about another machine, and little about this one at another hour:',
    markdownTable(['µs', 'Node', 'Redis', 'Node + Redis'], absolute, { numbers: true }),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** Judged with Redis: what a server saves by making Redis work is not saved. */
function verdict(one: Series, base: Series, aim: number): string {
  const together = ratioOf(both(one), both(base)).median;
  const alone = ratioOf(node(one), node(base)).median;
  const met = together <= aim ? '**met**' : '**not met**';
  return `Aim for “${one.name}”, Node + Redis: at most ${aim.toFixed(2)}. ${met} with ${together.toFixed(2)} (Node ${alone.toFixed(2)}).`;
}
