/** The middle of some numbers, and the least and greatest of them. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly greatest: number;
}

/** @throws RangeError when there are no numbers */
export function spreadOf(numbers: readonly number[]): Spread {
  if (numbers.length === 0) throw new RangeError('no numbers');
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (place: number) => sorted[place] as number;
  const middle = (sorted.length - 1) / 2;
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    least: at(0),
    greatest: at(sorted.length - 1),
  };
}

/** Spread of the ratios of two series, taken round by round. */
export function ratioOf(numbers: readonly number[], baseline: readonly number[]): Spread {
  return spreadOf(numbers.map((number, round) => number / (baseline[round] as number)));
}
