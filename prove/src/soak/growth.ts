/** A value at a time. */
export interface Reading {
  readonly at: number;
  readonly value: number;
}

/**
 * By how much values grow over the last three quarters of their time, along the line that fits them best: a peak is no
 * growth, and the beginning, in which caches fill and code is compiled, does not count. NaN where there are fewer than three.
 */
export function growth(readings: readonly Reading[]): number {
  const from = (readings[0]?.at ?? 0) + 0.25 * ((readings.at(-1)?.at ?? 0) - (readings[0]?.at ?? 0));
  const late = readings.filter(({ at }) => at >= from);
  if (late.length < 3) return NaN;
  const mean = (of: (reading: Reading) => number) => late.reduce((sum, one) => sum + of(one), 0) / late.length;
  const meanAt = mean(({ at }) => at);
  const meanValue = mean(({ value }) => value);
  const slope = mean(({ at, value }) => (at - meanAt) * (value - meanValue)) / mean(({ at }) => (at - meanAt) ** 2);
  return slope * ((late.at(-1)?.at ?? 0) - (late[0]?.at ?? 0));
}
