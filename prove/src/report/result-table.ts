import { percentile } from '../percentile.ts';
import type { ProofResult } from '../run-proof.ts';

/** Columns of the table of results. */
export const HEAD = ['promise', 'N', 'kills', 'lost', 'duplicates', 'recovery p50 / p99', 'verdict', 'took'] as const;

/** A row for each result. */
export function resultRows(results: readonly ProofResult[]): string[][] {
  return results.map(({ proof, findings, verdict, tookMs }) => {
    const { n, kills, lost, duplicates } = findings.figures;
    const cell = (value: number | undefined) => (value === undefined ? '–' : String(value));
    return [
      `${proof.id} ${proof.title}`,
      ...[n, kills, lost, duplicates].map(cell),
      recovery(findings.recoveriesMs),
      verdict === 'met' ? 'met' : verdict.toUpperCase(),
      `${(tookMs / 1_000).toFixed(0)} s`,
    ];
  });
}

function recovery(valuesMs: readonly number[]): string {
  if (valuesMs.length === 0) return '–';
  return [0.5, 0.99].map((part) => `${(percentile(valuesMs, part) / 1_000).toFixed(1)} s`).join(' / ');
}
