import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import { FakeTime, fakeTimeLibrary } from './fake-time.ts';
import type { ProvingStack } from './proving-stack.ts';

/** How the clocks of processes jump. */
export interface WrongClocksOptions {
  /** How far off they are, to one side and then to the other. */
  readonly jumpMs: number;
  readonly everyMs: number;
  /** Processes whose clock begins ahead, by name, and those whose clock begins behind. */
  readonly ahead: readonly string[];
  readonly behind: readonly string[];
}

/** A clock that is off by what it should be, give or take this, is one that has been set. */
const CLOSE_MS = 10_000;

/**
 * Clocks that jump to and fro: set from outside, by libfaketime, where that is installed, else by a module that replaces
 * JavaScript's clock, the only one that our code reads.
 */
export class WrongClocks {
  /** What sets them, for people. */
  readonly by: string;
  /** Settings by the name of the process. */
  readonly envOf: Readonly<Record<string, NodeJS.ProcessEnv>>;
  readonly #options: WrongClocksOptions;
  readonly #clocks = new Map<string, { readonly clock: FakeTime; readonly side: number }>();
  readonly #seen = new Map<string, Set<number>>();

  constructor(options: WrongClocksOptions) {
    this.#options = options;
    const { ahead, behind, jumpMs, everyMs } = options;
    const sides = [...ahead.map((name) => [name, 1] as const), ...behind.map((name) => [name, -1] as const)];
    const library = fakeTimeLibrary();
    this.by = library === undefined ? 'a module in each process, as there is no libfaketime' : 'libfaketime';
    this.envOf = Object.fromEntries(
      sides.map(([name, side]) => {
        if (library === undefined) return [name, moduleSettings(side * jumpMs, everyMs)];
        const clock = new FakeTime(library);
        clock.set(side * jumpMs);
        this.#clocks.set(name, { clock, side });
        return [name, clock.env];
      }),
    );
  }

  /** Has them jump until the signal is aborted; looks, before each jump, at what the processes take for the time. */
  async jump(stack: ProvingStack, signal: AbortSignal): Promise<void> {
    const { everyMs, jumpMs } = this.#options;
    for (let side = 1; ; side = -side) {
      for (const { clock, side: first } of this.#clocks.values()) clock.set(side * first * jumpMs);
      await delay(everyMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      await this.#look(stack);
    }
  }

  /** How many processes were not seen to be off to both sides; undefined where that cannot be seen from outside. */
  get unmoved(): number | undefined {
    if (this.#clocks.size === 0) return undefined;
    return [...this.#clocks.keys()].filter((name) => this.#seen.get(name)?.size !== 2).length;
  }

  remove(stack: ProvingStack | undefined): void {
    const pids = [...(stack?.apis ?? []), ...(stack?.workers ?? [])].map(({ pid }) => pid);
    for (const { clock } of this.#clocks.values()) clock.remove(pids);
  }

  /** By the header Date of its answers, which the module does not change. */
  async #look({ apis, workers }: ProvingStack): Promise<void> {
    const urls = new Map<string, string>([
      ...apis.map(({ url }, i) => [`api-${i + 1}`, url] as const),
      ...workers.map(({ url }, i) => [`worker-${i + 1}`, url] as const),
    ]);
    for (const name of this.#clocks.keys()) {
      const answer = await fetch(`${urls.get(name)}/livez`, { signal: AbortSignal.timeout(2_000) }).catch(
        () => undefined,
      );
      const offMs = Date.parse(answer?.headers.get('date') ?? '') - Date.now();
      if (Math.abs(Math.abs(offMs) - this.#options.jumpMs) > CLOSE_MS) continue;
      const sides = this.#seen.get(name) ?? new Set();
      this.#seen.set(name, sides.add(Math.sign(offMs)));
    }
  }
}

function moduleSettings(jumpMs: number, everyMs: number): NodeJS.ProcessEnv {
  return {
    NODE_OPTIONS: `--require ${join(__dirname, 'clock-jump.js')}`,
    CLOCK_JUMP_MS: String(jumpMs),
    CLOCK_JUMP_EVERY_MS: String(everyMs),
  };
}
