import { CoordinatorError } from '../error-codes.ts';
import type { RunScript } from './redis-connection.ts';
import { scripts } from './scripts.ts';

/** Layouts of what Redis holds, by number. */
export interface Layouts {
  /** The one that a release writes. */
  readonly ours: number;
  /** The oldest one that it can work on. */
  readonly oldest: number;
}

/**
 * The layouts of this release. A release raises `ours` when its scripts write what those of the release before would
 * mistake: another key, field, or meaning of one. It works on the layout before, too, or raises `oldest`.
 */
export const layouts: Layouts = { ours: 1, oldest: 1 };

/**
 * Holds the layout of what Redis holds against that of this release, and moves it on where this release is newer.
 *
 * @throws CoordinatorError COORD_LAYOUT_UNKNOWN when this release cannot work on it, COORD_QUEUE_UNAVAILABLE
 */
export async function keepLayout(run: RunScript, keyPrefix: string, known = layouts): Promise<void> {
  refuseUnknown(await readLayout(run, keyPrefix, known, '1'), keyPrefix, known);
}

/** The same, but moves nothing on: for a command that comes and goes. */
export async function checkLayout(run: RunScript, keyPrefix: string, known = layouts): Promise<void> {
  refuseUnknown(await readLayout(run, keyPrefix, known, '0'), keyPrefix, known);
}

async function readLayout(run: RunScript, keyPrefix: string, { ours, oldest }: Layouts, note: '0' | '1') {
  return String(await run(scripts.keepLayout, `${keyPrefix}:`, [String(ours), String(oldest), note]));
}

function refuseUnknown(text: string, keyPrefix: string, { ours, oldest }: Layouts): void {
  const found = Number(text === '' ? ours : text);
  if (found >= oldest && found <= ours) return;
  throw new CoordinatorError('COORD_LAYOUT_UNKNOWN', whatToDo(text, found, keyPrefix, { ours, oldest }));
}

function whatToDo(text: string, found: number, keyPrefix: string, { ours, oldest }: Layouts): string {
  const says = `Redis holds layout ${text}, and this release`;
  if (found > ours) {
    return `${says} knows ${ours}: a newer release has run on it. Start that release, or a newer one.`;
  }
  if (found < oldest) {
    return `${says} works on ${oldest} or newer: start a release in between first, see the changelog.`;
  }
  return `${keyPrefix}:layout holds no number: somebody wrote to it. Set it to the layout of the release that has run on it; that of this one is ${ours}.`;
}
