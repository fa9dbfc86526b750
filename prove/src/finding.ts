/** What a figure has to be. */
export type Bound = { readonly atMost: number } | { readonly atLeast: number } | { readonly is: number };

/** A figure and what it has to be. */
export interface Expectation {
  readonly what: string;
  readonly value: number;
  readonly bound: Bound;
  readonly unit: string;
}

/** Figures that every table shows, as far as a promise has them. */
export interface Figures {
  /** Trials, jobs or requests. */
  n?: number;
  kills?: number;
  lost?: number;
  duplicates?: number;
}

/** What was found out about one promise. */
export class Findings {
  readonly figures: Figures = {};
  readonly expectations: Expectation[] = [];
  /** How long it took until things were as promised, in milliseconds. */
  readonly recoveriesMs: number[] = [];
  /** What is to be known besides figures. */
  readonly notes: string[] = [];

  /** Holds a figure against what it has to be. @param unit default none */
  expect(what: string, value: number, bound: Bound, unit = ''): void {
    this.expectations.push({ what, value, bound, unit });
  }

  /** Expectations that do not hold. */
  get broken(): Expectation[] {
    return this.expectations.filter((expectation) => !holds(expectation));
  }
}

/** Whether a figure is what it has to be; one that is no number never is. */
export function holds({ value, bound }: Expectation): boolean {
  if ('atMost' in bound) return value <= bound.atMost;
  if ('atLeast' in bound) return value >= bound.atLeast;
  return value === bound.is;
}

/** `lost 0`, and `lost 3 (has to be 0)` where it does not hold. */
export function textOf(expectation: Expectation): string {
  const { what, value, bound, unit } = expectation;
  const inUnit = (number: number) => `${Number.isInteger(number) ? number : number.toFixed(2)}${unit && ` ${unit}`}`;
  if ('atMost' in bound) return `${what} ${inUnit(value)} (at most ${inUnit(bound.atMost)})`;
  if ('atLeast' in bound) return `${what} ${inUnit(value)} (at least ${inUnit(bound.atLeast)})`;
  return holds(expectation) ? `${what} ${inUnit(value)}` : `${what} ${inUnit(value)} (has to be ${inUnit(bound.is)})`;
}
