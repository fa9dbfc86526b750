/** A time as JSON has it; null for none, and for one that a damaged record does not have. */
export function isoTime(ms: number | undefined): string | null {
  if (ms === undefined) return null;
  const time = new Date(ms);
  return Number.isNaN(time.getTime()) ? null : time.toISOString();
}
