import type { Random } from './faults/random.ts';
import type { Findings } from './finding.ts';
import type { Need } from './need.ts';
import type { ProvingStack } from './stack/proving-stack.ts';
import type { ProvingStackOptions } from './stack/stack-options.ts';

/**
 * How much is run: `pr` is part of `npm test`, `nightly` holds all of it, `weekly` those that can be run for longer than a
 * night has room for.
 */
export type Tier = 'pr' | 'nightly' | 'weekly';

/** The tiers for which every proof has a size. */
export type Size = Exclude<Tier, 'weekly'>;

/** What a proof works with. */
export interface Scene {
  /** In `nightly` there are more trials. */
  readonly tier: Size;
  /** Whether its weekly size is wanted, if it has one. */
  readonly weekly: boolean;
  /** The same seed gives the same numbers. */
  readonly random: Random;
  /** Folder that holds apps/ and libs/ as they were built. */
  readonly root: string;
  /** Starts a stack, which is stopped with the proof. */
  readonly start: (options?: ProvingStackOptions) => Promise<ProvingStack>;
  /** Where it writes down what it finds. */
  readonly findings: Findings;
  /** Tells who waits how far it is. */
  readonly say: (line: string) => void;
}

/** Shows that a promise holds, or that it does not. */
export interface Proof {
  /** Number in the list of promises: `P5`. */
  readonly id: string;
  readonly title: string;
  /** The least tier that runs it. */
  readonly tier: Size;
  /** Whether it has a size of its own in the tier weekly. Default false. */
  readonly weekly?: true;
  /** What is promised, in a line. */
  readonly target: string;
  /** Without these it is skipped. Default none. */
  readonly needs?: readonly Need[];
  /** Fills in the findings. Whatever it waits for in vain, it throws: then the promise is broken. */
  readonly run: (scene: Scene) => Promise<void>;
}
