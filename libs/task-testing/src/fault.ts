import { Problem } from './problem.ts';

/**
 * How a call to a fake goes wrong:
 * - a status such as `503`: answered at once, without effect
 * - `timeout`: no effect and no answer until the caller gives up
 * - `reset`: the connection breaks before any effect
 * - `slow`: all goes well, after `delayMs`
 * - `dropResponseAfterEffect`: the effect happens, then the connection breaks
 */
export type FaultMode = `${number}` | 'timeout' | 'reset' | 'slow' | 'dropResponseAfterEffect';

/** A fault to switch on. */
export interface Fault {
  /** Name of a fake's route, or `*` for all. */
  readonly route: string;
  readonly mode: FaultMode;
  /** How many calls it hits. Default 1, and without limit where `forMs` is given. */
  readonly count?: number;
  /** Hits calls for this long from now, in milliseconds. Default: until `count` is used up. */
  readonly forMs?: number;
  /** How late `slow` answers, in milliseconds. Default 1 000. */
  readonly delayMs?: number;
  /** Value of the Retry-After header, in seconds; for statuses. Default: no header. */
  readonly retryAfter?: number;
}

/** A fault that is switched on. */
export interface ActiveFault extends Fault {
  /** How many more calls it hits; null for no limit. */
  readonly left: number | null;
  /** When it ends by itself, in milliseconds of `performance.now()`. */
  readonly endsAtMs: number | undefined;
}

const NAMED_MODES = ['timeout', 'reset', 'slow', 'dropResponseAfterEffect'];

/** The fault switches of a fake server. */
export class FaultSwitches {
  readonly #routes: readonly string[];
  #faults: { -readonly [K in keyof ActiveFault]: ActiveFault[K] }[] = [];

  /** @param routes names of all routes that can fail */
  constructor(routes: readonly string[]) {
    this.#routes = routes;
  }

  /** Switches a fault on; several for one route hit one after another. @throws Problem (400) for what makes no sense */
  add(fault: Fault): void {
    const { route, count, forMs } = fault;
    const mode = String(fault.mode) as FaultMode;
    if (route !== '*' && !this.#routes.includes(route)) {
      throw new Problem(400, `There is no route "${route}"; the routes are *, ${this.#routes.join(', ')}`);
    }
    if (!NAMED_MODES.includes(mode) && !/^[2-5]\d\d$/.test(mode)) {
      const known = NAMED_MODES.join(', ');
      throw new Problem(400, `There is no mode "${mode}"; the modes are ${known}, and any status from 200 to 599`);
    }
    for (const key of ['count', 'forMs', 'delayMs', 'retryAfter'] as const) {
      const value: unknown = fault[key];
      if (value === undefined || (typeof value === 'number' && value >= 0)) continue;
      throw new Problem(400, `"${key}" must be a number of at least 0`);
    }
    const left = count ?? (forMs === undefined ? 1 : null);
    this.#faults.push({ ...fault, mode, left, endsAtMs: forMs === undefined ? undefined : performance.now() + forMs });
  }

  /** Takes the fault that this call meets, if any: those of its own route come before those of `*`. */
  take(route: string): ActiveFault | undefined {
    const active = this.active();
    const fault = active.find((one) => one.route === route) ?? active.find((one) => one.route === '*');
    if (fault && fault.left !== null) fault.left -= 1;
    return fault;
  }

  /** The faults that are on. */
  active(): { -readonly [K in keyof ActiveFault]: ActiveFault[K] }[] {
    const now = performance.now();
    const isOn = ({ left, endsAtMs }: ActiveFault) => (left ?? 1) > 0 && (endsAtMs ?? Infinity) > now;
    return (this.#faults = this.#faults.filter(isOn));
  }

  /** Switches all faults off. */
  clear(): void {
    this.#faults = [];
  }
}
