/**
 * What becomes of slots that passed while no worker ran or Redis was away: `skip` leaves them out, `once` makes up for
 * them with one job, that of the latest unless one has come since, `all` with a job each.
 */
export type CatchUp = (typeof CATCH_UPS)[number];

/** See {@link CatchUp}. */
export const CATCH_UPS = ['skip', 'once', 'all'] as const;

/** Slots made up for at most; older ones are left out. */
export const MOST_SLOTS = 1_000;

/** A slot that is this late was missed; less is the pace of a tick, or a restart. */
export const ON_TIME_MS = 60_000;

/** Of the slots that are due, oldest first, those that get a job. */
export function slotsToFire(due: readonly number[], nowMs: number, catchUp: CatchUp): number[] {
  if (catchUp === 'all') return due.slice(-MOST_SLOTS);
  // Several may have come since the last tick.
  const onTime = due.filter((slotMs) => nowMs - slotMs < ON_TIME_MS);
  return catchUp === 'once' && onTime.length === 0 ? due.slice(-1) : onTime;
}
