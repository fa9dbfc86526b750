import { parseArgs } from 'node:util';

/** How a release is rehearsed. */
export interface RehearseOptions {
  readonly help: boolean;
  /** Orders per second. */
  readonly rate: number;
  /** Orders that each stage of the roll-out serves. */
  readonly orders: number;
}

/** What `--help` prints. */
export const HELP = `Usage: npm run release:rehearse -- [options]

Rehearses a release in a clone of what is committed, in a temporary folder: releases it, changes the payload of a task of
one extension, shows what that affects, releases again, and rolls the new release out over the old one, back, and out
again, on a real Redis and under load. Then the orders that were accepted are held against what was done.

  --rate N     orders per second. Default 20
  --orders N   orders that each of the eight stages serves before the next one begins. Default 100
  --help       this

Nothing comes back from the clone: no commit, no tag, and nothing is pushed. It has a git identity of its own. What runs are
the process trees that images hold; no image engine is needed. It takes some minutes, needs npm's registry or a filled
cache, and a checkout with its whole history and without changes.
Exit code: 0 nothing was lost and everything is told as it should be; 1 not so; 2 it could not be rehearsed here, and why;
69 there is no Redis to be had.`;

/** Reads the command line. @throws Error that says what is wrong with it */
export function readRehearseOptions(args: readonly string[]): RehearseOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', default: false, short: 'h' },
      rate: { type: 'string', default: '20' },
      orders: { type: 'string', default: '100' },
    },
  });
  return { help: values.help, rate: positive('--rate', values.rate), orders: positive('--orders', values.orders) };
}

function positive(option: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new Error(`${option} takes a whole number of at least 1, and not "${text}"`);
}
