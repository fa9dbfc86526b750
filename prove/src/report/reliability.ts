import { listFacts, markdownTable, type RunFacts } from '@coordinator/tools';
import { textOf } from '../finding.ts';
import type { Proof } from '../proof.ts';
import type { ProofResult } from '../run-proof.ts';
import { promiseList } from './promise-list.ts';
import { HEAD, resultRows } from './result-table.ts';

/** What docs/reliability.md is made of. */
export interface ReliabilityReport {
  readonly command: string;
  readonly seed: number;
  readonly facts: RunFacts;
  readonly results: readonly ProofResult[];
  /** All proofs that there are, run or not. */
  readonly proofs: readonly Proof[];
}

/** Writes a run as Markdown: a line for every promise, met or not. */
export function reliabilityReport({ command, seed, facts, results, proofs }: ReliabilityReport): string {
  const ran = results.filter(({ verdict }) => verdict !== 'skipped');
  return `# Reliability

Written by \`${command}\` on ${facts.date}, seed ${seed}. Do not edit: run it again.

Every figure comes from real processes: APIs, workers, a Redis and a service that keeps books of its effects. Counts are
sound on any machine; times are those of this one, with whatever else it was doing.

${markdownTable(HEAD, resultRows(ran))}

## Promise by promise

${promiseList.map((listed) => `- **${listed.id} ${listed.title}**: ${lineOf(listed.id, results, proofs)}`).join('\n')}

## Where this ran

${listFacts(facts)}
`;
}

function lineOf(id: string, results: readonly ProofResult[], proofs: readonly Proof[]): string {
  const result = results.find(({ proof }) => proof.id === id);
  const proof = proofs.find((one) => one.id === id);
  if (!proof) return 'not proved.';
  if (!result) return `not run${proof.tier === 'nightly' ? ' (tier nightly)' : ''}. Promised: ${proof.target}.`;
  return sentence(result);
}

/** What became of a proof, in one line. */
export function sentence({ verdict, why, findings, proof }: ProofResult): string {
  const reason = why?.split('\n')[0] ?? '';
  if (verdict === 'skipped') return `skipped: ${reason}. Promised: ${proof.target}.`;
  if (verdict === 'not-shown') return `not shown: ${reason}.`;
  const broken = [...findings.broken.map(textOf), ...(reason === '' ? [] : [reason])];
  const held = findings.expectations.filter((expectation) => !findings.broken.includes(expectation)).map(textOf);
  const figures = [...held, ...findings.notes].join('; ');
  if (verdict === 'met') return `met: ${figures}.`;
  return `**not met**: ${broken.join('; ')}.${figures === '' ? '' : ` What held: ${figures}.`}`;
}
