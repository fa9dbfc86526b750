import { markdownTable } from '@coordinator/tools';
import { describe, expect, test } from '@jest/globals';
import { Findings } from '../finding.ts';
import { proofs } from '../promises/index.ts';
import type { Proof } from '../proof.ts';
import type { ProofResult } from '../run-proof.ts';
import { promiseList } from './promise-list.ts';
import { reliabilityReport, sentence } from './reliability.ts';
import { HEAD, resultRows } from './result-table.ts';

const proof = (id: string, tier: Proof['tier'] = 'pr'): Proof => ({
  ...{ id, tier, title: 'Crash recovery is fast', target: 'the target', run: async () => undefined },
});
const result = (id: string, verdict: ProofResult['verdict'], why?: string): ProofResult => {
  const findings = new Findings();
  findings.figures.n = 30;
  findings.figures.lost = 0;
  findings.recoveriesMs.push(1_000, 3_400);
  findings.expect('lost', 0, { is: 0 });
  if (verdict === 'broken' && why === undefined) findings.expect('ghosts', 2, { is: 0 });
  return { proof: proof(id), verdict, why, findings, tookMs: 12_345 };
};

describe('the table', () => {
  test('has a row for each result, and a dash for what was not counted', () => {
    expect(resultRows([result('P6', 'met'), result('P5', 'broken')])).toEqual([
      ['P6 Crash recovery is fast', '30', '–', '0', '–', '1.0 s / 3.4 s', 'met', '12 s'],
      ['P5 Crash recovery is fast', '30', '–', '0', '–', '1.0 s / 3.4 s', 'BROKEN', '12 s'],
    ]);
  });
});

describe('the line of a promise', () => {
  test.each([
    [result('P6', 'met'), 'met: lost 0.'],
    [result('P6', 'broken'), '**not met**: ghosts 2 (has to be 0). What held: lost 0.'],
    [result('P6', 'broken', 'Not true within 5 ms\nat x'), '**not met**: Not true within 5 ms. What held: lost 0.'],
    [result('P6', 'skipped', 'needs root'), 'skipped: needs root. Promised: the target.'],
    [result('P6', 'not-shown', 'api was not ready'), 'not shown: api was not ready.'],
  ])('tells what became of it', (one, line) => {
    expect(sentence(one)).toBe(line);
  });
});

describe('docs/reliability.md', () => {
  const facts = { date: '2026-01-31', commit: 'abc', machine: '2 cores', node: '20', redis: '7' };
  const results = [result('P6', 'met')];
  const report = reliabilityReport({
    command: 'npm run prove -- --tier pr',
    seed: 7,
    facts,
    results,
    proofs: [proof('P6'), proof('P4', 'nightly'), proof('P7')],
  });

  test('says where it comes from, and has a line for every promise', () => {
    expect(report).toContain('Written by `npm run prove -- --tier pr` on 2026-01-31, seed 7. Do not edit');
    for (const { id, title } of promiseList) expect(report).toContain(`- **${id} ${title}**: `);
    expect(report).toContain(markdownTable(HEAD, resultRows(results)));
  });

  test('tells what was met, what this run left out and what has no proof', () => {
    expect(report).toContain('- **P6 Crash recovery is fast**: met: lost 0.');
    expect(report).toContain('**: not run (tier nightly). Promised: the target.');
    expect(report).toContain('**: not run. Promised: the target.');
    expect(report).toContain('**: not proved.');
  });
});

test('every promise has one proof, which bears its title', () => {
  expect(proofs.map(({ id, title }) => ({ id, title }))).toEqual(promiseList);
});
