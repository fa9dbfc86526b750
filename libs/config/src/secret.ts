import { inspect } from 'node:util';

const SHOWN = '[secret]';

/**
 * A string that must not be seen. However it is printed (template, JSON, console, logger) it shows `[secret]`;
 * only reveal() gives the value, so every place that uses one can be found by searching for that word.
 */
export class Secret {
  // A #field and not `private`: inspectors, spreads and JSON see private fields, they do not see this one.
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself. Call it where the value is used, and keep no copy. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return SHOWN;
  }

  toJSON(): string {
    return SHOWN;
  }

  [inspect.custom](): string {
    return SHOWN;
  }
}
