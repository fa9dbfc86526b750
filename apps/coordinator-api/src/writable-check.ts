/** How long an answer of Redis is worth, in milliseconds: far less than the time between two probes. */
const FRESH_MS = 500;

/**
 * Shares one check among all who ask while it is made or within half a second after: `/readyz` is there for everybody,
 * and must not cost Redis a write each time.
 *
 * @param check rejects while Redis cannot be written
 */
export function sharedCheck(check: () => Promise<void>): () => Promise<void> {
  let current: Promise<void> | undefined;
  return () => {
    current ??= check().finally(() => setTimeout(() => (current = undefined), FRESH_MS).unref());
    return current;
  };
}
