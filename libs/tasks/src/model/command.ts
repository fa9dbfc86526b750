import type { AsyncCommand } from 'fast-check';
import type { Engine } from './engine.ts';
import { checkInvariants } from './invariants.ts';
import type { Model } from './job-model.ts';

/** One thing that happens to the engine; every invariant is checked after it. */
export abstract class Command implements AsyncCommand<Model, Engine> {
  /** How many have run in this process. */
  static executed = 0;

  /** Does it to the engine and to the model; throws when they answer differently. */
  protected abstract act(model: Model, engine: Engine): Promise<void>;

  check(_model: Readonly<Model>): boolean {
    return true;
  }

  async run(model: Model, engine: Engine): Promise<void> {
    Command.executed += 1;
    await this.act(model, engine);
    await checkInvariants(model, engine);
  }

  abstract toString(): string;
}

/** @throws Error that says what was expected */
export function expectSame(what: string, actual: unknown, expected: unknown): void {
  const [is, should] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (is !== should) throw new Error(`${what}: ${is} instead of ${should}`);
}

/** One of a list, by a number of any size. */
export function pick<T>(list: readonly T[], index: number): T {
  return list[index % list.length] as T;
}
