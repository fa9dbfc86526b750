import { shuffled, type Random } from './random.ts';
import type { ProxyManner } from './tcp-proxy.ts';

/** What can be killed. */
export type Victim = 'worker' | 'api' | 'redis';

/** One fault of a schedule. */
export interface ScheduledFault {
  /** Milliseconds from the beginning. */
  readonly atMs: number;
  readonly kind: 'kill' | 'freeze' | 'script-flush' | 'cut';
  readonly victim: Victim;
  /** Which of them; of Redis there is one. */
  readonly index: number;
  /** How a `cut` treats the connections to Redis. */
  readonly manner: ProxyManner;
  /** How long it is down or frozen. */
  readonly forMs: number;
}

/** What a schedule is made from. */
export interface ScheduleOptions {
  readonly random: Random;
  readonly durationMs: number;
  readonly kills: Readonly<Record<Victim, number>>;
  /** How often Redis forgets its scripts. Default 0. */
  readonly scriptFlushes?: number;
  /** How often the connections to Redis are cut, one way or another. Default 0. */
  readonly cuts?: number;
  /** How often a worker is frozen. Default 0. */
  readonly freezes?: number;
  /** Workers, and APIs, that there are. Default 2. */
  readonly processes?: number;
}

const CUTS: readonly ProxyManner[] = ['refuse', 'reset', 'stall', 'drop-replies'];
const LONGEST_DOWN_MS = 1_500;
const LONGEST_FREEZE_MS = 6_000;

/**
 * Faults spread over a time, one in each of as many equal parts, so that no two of them hide behind one another; the
 * same for the same random numbers.
 */
export function faultSchedule(options: ScheduleOptions): ScheduledFault[] {
  const { random, durationMs, kills, scriptFlushes = 0, cuts = 0, freezes = 0, processes = 2 } = options;
  const times = <T>(count: number, fault: T): T[] => Array.from({ length: count }, () => fault);
  const faults = shuffled(
    [
      ...(['worker', 'api', 'redis'] as const).flatMap((victim) =>
        times(kills[victim], { kind: 'kill', victim } as const),
      ),
      ...times(freezes, { kind: 'freeze', victim: 'worker' } as const),
      ...times(cuts, { kind: 'cut', victim: 'redis' } as const),
      ...times(scriptFlushes, { kind: 'script-flush', victim: 'redis' } as const),
    ],
    random,
  );
  const partMs = durationMs / Math.max(1, faults.length);
  return faults.map(({ kind, victim }, i) => ({
    atMs: Math.round((i + 0.8 * random()) * partMs),
    kind,
    victim,
    index: victim === 'redis' ? 0 : Math.floor(random() * processes),
    manner: kind === 'cut' ? (CUTS[Math.floor(random() * CUTS.length)] ?? 'refuse') : 'pass',
    forMs: Math.round(random() * (kind === 'freeze' ? LONGEST_FREEZE_MS : LONGEST_DOWN_MS)),
  }));
}
