import { parseArgs } from 'node:util';

/** What to measure. */
export interface BenchOptions {
  readonly help: boolean;
  readonly rounds: number;
  /** Requests, and jobs, per window. */
  readonly requests: number;
  readonly seconds: number;
  readonly only: 'accept' | 'work' | undefined;
  /** Folder for CPU profiles. */
  readonly profile: string | undefined;
}

/** What `--help` prints. */
export const HELP = `Usage: npm run bench -- [options]

CPU per accepted request and per job, beside a bare Express + bee-queue and a BullMQ one, on a private Redis.
A run of everything writes docs/benchmarks.md; any other run prints the same and writes nothing.

  --rounds N        how often each variant is measured, in turns (default 8)
  --requests N      requests, and jobs, per measurement (default 2000)
  --only WHAT       accept or work
  --seconds N       no round begins after this time (default 165)
  --profile FOLDER  has every measured process write a CPU profile there, which makes all of them slower
  --help            this`;

/** Reads the command line. @throws Error that says what is wrong with it */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', default: false, short: 'h' },
      rounds: { type: 'string', default: '8' },
      requests: { type: 'string', default: '2000' },
      seconds: { type: 'string', default: '165' },
      only: { type: 'string' },
      profile: { type: 'string' },
    },
  });
  const { help, only, profile } = values;
  if (only !== undefined && only !== 'accept' && only !== 'work') throw new Error('--only takes accept or work');
  const count = (name: 'rounds' | 'requests' | 'seconds') => {
    const number = Number(values[name]);
    if (!Number.isSafeInteger(number) || number < 1) throw new Error(`--${name} takes a whole number of at least 1`);
    return number;
  };
  return { help, rounds: count('rounds'), requests: count('requests'), seconds: count('seconds'), only, profile };
}
