import { parseArgs } from 'node:util';
import type { Tier } from './proof.ts';

/** What to run. */
export interface ProveOptions {
  readonly help: boolean;
  readonly tier: Tier;
  /** Numbers of promises; empty means all of the tier. */
  readonly only: readonly string[];
  /** Whether those of the other tier are run, too, at the size of this one. */
  readonly all: boolean;
  /** Numbers of promises that are run at their nightly size whatever the tier. */
  readonly full: readonly string[];
  /** Undefined: draw one. */
  readonly seed: number | undefined;
  /** Whether bugs are planted, which the proofs have to find. */
  readonly planted: boolean;
  /** Whether docs/reliability.md is written. */
  readonly report: boolean;
  /** File for the result in JSON. */
  readonly json: string | undefined;
}

/** What `--help` prints. */
export const HELP = `Usage: npm run prove -- [options]

Shows that the promises of docs/reliability.md hold: real API, worker and Redis processes are killed, frozen, cut off and
starved, and the books of senders, services and queue are laid side by side. Exits with 1 when a promise is broken.

  --tier TIER       pr (minutes; the default), nightly (hours), or weekly (the largest size of those that have one)
  --only P5,P7      these promises only
  --all             those of the tier nightly, too, small
  --full P1         these at their nightly size, whatever the tier
  --seed N          the faults of an earlier run: its seed stands in its table
  --planted         plants known bugs in a copy, one after the other: each has to turn its promise red
  --report          writes docs/reliability.md, which a run of a whole tier does anyway
  --no-report       does not
  --json FILE       writes the number of promises that are met and broken there
  --help            this`;

/** Reads the command line. @throws Error that says what is wrong with it */
export function readOptions(args: readonly string[]): ProveOptions {
  const { values } = parseArgs({
    args: [...args],
    allowNegative: true,
    options: {
      help: { type: 'boolean', default: false, short: 'h' },
      tier: { type: 'string', default: 'pr' },
      only: { type: 'string' },
      all: { type: 'boolean', default: false },
      full: { type: 'string' },
      seed: { type: 'string' },
      planted: { type: 'boolean', default: false },
      report: { type: 'boolean' },
      json: { type: 'string' },
    },
  });
  const { help, tier, planted, json, all } = values;
  if (tier !== 'pr' && tier !== 'nightly' && tier !== 'weekly') {
    throw new Error('--tier takes pr, nightly or weekly');
  }
  const only = numbersOf('--only', values.only);
  const full = numbersOf('--full', values.full);
  const seed = values.seed === undefined ? undefined : Number(values.seed);
  if (seed !== undefined && !(Number.isSafeInteger(seed) && seed >= 0)) {
    throw new Error('--seed takes a whole number of at least 0');
  }
  return { help, tier, only, all, full, seed, planted, json, report: values.report ?? (only.length === 0 && !planted) };
}

function numbersOf(option: string, text: string | undefined): string[] {
  const ids = text?.split(',').map((id) => id.trim().toUpperCase()) ?? [];
  const odd = ids.find((id) => !/^P\d+$/.test(id));
  if (odd !== undefined) throw new Error(`${option} takes numbers of promises, as in P5,P7, and not "${odd}"`);
  return ids;
}
