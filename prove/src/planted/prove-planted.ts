import { textOf } from '../finding.ts';
import { proofs } from '../promises/index.ts';
import { sentence } from '../report/reliability.ts';
import { runProof } from '../run-proof.ts';
import type { PlantedBug } from './planted-bug.ts';
import { plantedBugs } from './planted-bugs.ts';
import { PlantedTree } from './planted-tree.ts';

/** What became of a planted bug. */
export interface PlantedResult {
  readonly bug: PlantedBug;
  /** Whether its promise was broken, and for the reason that it is planted for. */
  readonly red: boolean;
  readonly why: string;
}

/** What is planted. */
export interface ProvePlantedOptions {
  /** Numbers of promises; empty means all bugs. */
  readonly only: readonly string[];
  readonly seed: number;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

const LONGEST_REASON = 100;

/** Plants one bug after the other and runs the proof that has to find it. */
export async function provePlanted({ only, seed, say, signal }: ProvePlantedOptions): Promise<PlantedResult[]> {
  const results: PlantedResult[] = [];
  for (const bug of plantedBugs) {
    if (signal.aborted || (only.length > 0 && !only.includes(bug.promise))) continue;
    say(`planted: ${bug.name} (${bug.promise})`);
    const result = await provePlantedBug(bug, { seed, say, signal });
    say(`  ${result.red ? 'found' : 'NOT FOUND'}: ${result.why}`);
    results.push(result);
  }
  return results;
}

async function provePlantedBug(
  bug: PlantedBug,
  { seed, say, signal }: Omit<ProvePlantedOptions, 'only'>,
): Promise<PlantedResult> {
  const proof = proofs.find(({ id }) => id === bug.promise);
  if (!proof) return { bug, red: false, why: `there is no proof of ${bug.promise}` };
  let tree: PlantedTree;
  try {
    tree = new PlantedTree(bug.name, [bug]);
  } catch (error) {
    return { bug, red: false, why: error instanceof Error ? error.message : String(error) };
  }
  try {
    const result = await runProof(proof, { tier: 'pr', seed, root: tree.root, say, signal });
    // A copy that does not even start has found nothing.
    const said = [...result.findings.broken.map(textOf), result.why ?? ''];
    const red = result.verdict === 'broken' && said.some((text) => bug.because.test(text));
    return { bug, red, why: sentence(result).replace('**not met**: ', '').slice(0, LONGEST_REASON) };
  } finally {
    tree.remove();
  }
}
