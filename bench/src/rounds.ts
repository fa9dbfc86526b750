import type { Measurement } from './measurement.ts';

/** One of the things that are compared. */
export interface Variant {
  /** As the tables call it. */
  readonly name: string;
  /** Serves some requests or jobs that do not count, so that the compiler has done its work. */
  warmUp(): Promise<void>;
  /** One window. */
  measure(): Promise<Measurement>;
  /** What went wrong without stopping the run, such as spans that got lost; for the report. */
  remarks(): readonly string[];
  /** Ends its process. */
  stop(): Promise<void>;
}

/** How many windows, and for how long. */
export interface RoundsOptions {
  readonly rounds: number;
  /** No round begins after this time of performance.now(), once there is one. */
  readonly endAt: number;
  /** Told a line per round. */
  readonly onProgress: (line: string) => void;
}

/** The windows of one variant, in order of the rounds. */
export interface Series {
  readonly name: string;
  readonly measurements: readonly Measurement[];
  readonly remarks: readonly string[];
}

/**
 * Measures the variants in turns. Each round begins with another one, so that what changes with time (a warmer or
 * busier machine) meets all of them alike, and ratios are taken within a round.
 */
export async function interleave(
  variants: readonly Variant[],
  { rounds, endAt, onProgress }: RoundsOptions,
): Promise<Series[]> {
  const windows = new Map(variants.map((variant) => [variant, [] as Measurement[]]));
  for (const variant of variants) await variant.warmUp();
  for (let round = 0; round < rounds && (round === 0 || performance.now() < endAt); round++) {
    const first = round % variants.length;
    for (const variant of [...variants.slice(first), ...variants.slice(0, first)]) {
      windows.get(variant)?.push(await variant.measure());
    }
    const told = Array.from(windows, ([{ name }, all]) => `${name} ${all.at(-1)?.nodeUs.toFixed(0)}`);
    onProgress(`round ${round + 1}/${rounds}, CPU in µs: ${told.join(' · ')}`);
  }
  return Array.from(windows, ([variant, measurements]) => ({
    name: variant.name,
    measurements,
    remarks: variant.remarks(),
  }));
}
