/** Gives the delay before the next attempt, in milliseconds, after `attempt` attempts (the first is 1). */
export type Backoff = (attempt: number, random?: () => number) => number;

/** Settings of {@link exponential}. */
export interface ExponentialOptions {
  /** Upper bound of the first delay. Default 1 000. */
  readonly firstMs?: number;
  /** Upper bound of every delay. Default 3 600 000, one hour. */
  readonly maxMs?: number;
  /** Growth of the bound from one attempt to the next. Default 2. */
  readonly factor?: number;
}

/**
 * Exponential backoff with full jitter: a delay drawn evenly between 0 and min(maxMs, firstMs * factor^(attempt - 1)),
 * so that jobs which failed together do not come back together.
 * Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 *
 * @throws RangeError when a setting is not a positive number.
 */
export function exponential(options: ExponentialOptions = {}): Backoff {
  const { firstMs = 1_000, maxMs = 3_600_000, factor = 2 } = options;
  if (!(firstMs > 0 && maxMs > 0 && factor >= 1)) {
    throw new RangeError('exponential() needs firstMs > 0, maxMs > 0 and factor >= 1');
  }
  return (attempt, random = Math.random) => {
    const bound = Math.min(maxMs, firstMs * factor ** Math.min(attempt - 1, 1_000));
    return Math.round(random() * bound);
  };
}
