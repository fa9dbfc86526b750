import { REPOSITORY } from '@coordinator/tools';
import { seededRandom } from './faults/random.ts';
import { Findings } from './finding.ts';
import { unmet } from './need.ts';
import { NotShownError } from './not-shown.ts';
import type { Proof, Tier } from './proof.ts';
import { ProvingStack } from './stack/proving-stack.ts';
import type { ProvingStackOptions } from './stack/stack-options.ts';

/** What became of one proof. */
export interface ProofResult {
  readonly proof: Proof;
  /** `not-shown`: nothing can be said, because the stack did not come up, or whoever measures was late himself. */
  readonly verdict: 'met' | 'broken' | 'skipped' | 'not-shown';
  /** Why it was skipped or not shown, or what was waited for in vain. */
  readonly why: string | undefined;
  readonly findings: Findings;
  readonly tookMs: number;
}

/** How proofs are run. */
export interface RunProofOptions {
  readonly tier: Tier;
  readonly seed: number;
  /** Folder that holds apps/ and libs/ as they were built. Default: this repository. */
  readonly root?: string | undefined;
  readonly say: (line: string) => void;
  /** Ends the proof early. */
  readonly signal?: AbortSignal;
}

/** Runs one proof; leaves no process behind. */
export async function runProof(proof: Proof, { tier, seed, root, say, signal }: RunProofOptions): Promise<ProofResult> {
  const findings = new Findings();
  const startedAt = performance.now();
  const result = (verdict: ProofResult['verdict'], why?: string): ProofResult => {
    return { proof, verdict, why, findings, tookMs: performance.now() - startedAt };
  };
  const missing = unmet(proof.needs ?? []);
  if (missing.length > 0) return result('skipped', `needs ${missing.join(' and ')}`);

  const stacks: ProvingStack[] = [];
  const start = async (options: ProvingStackOptions = {}) => {
    const stack = await ProvingStack.start(root === undefined ? options : { ...options, root });
    stacks.push(stack);
    return stack;
  };
  const stopAll = () => Promise.all(stacks.splice(0).map((stack) => stack.stop()));
  const abort = () => void stopAll();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    const size = { tier: tier === 'weekly' ? 'nightly' : tier, weekly: tier === 'weekly' } as const;
    await proof.run({ ...size, random: seededRandom(seed), root: root ?? REPOSITORY, start, findings, say });
    return result(findings.broken.length === 0 ? 'met' : 'broken');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return result(error instanceof NotShownError ? 'not-shown' : 'broken', why);
  } finally {
    signal?.removeEventListener('abort', abort);
    await stopAll();
  }
}
