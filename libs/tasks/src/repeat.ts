/** Work that is repeated until it is stopped. */
export interface Repetition {
  /** Resolves when the run in progress, if any, has ended. */
  stop(): Promise<void>;
}

/**
 * Runs `work` every `intervalMs`, ±20 % so that processes spread, never two runs at once. A failure goes to `onError`
 * and does not end the repetition.
 */
export function repeat(
  intervalMs: number,
  work: () => Promise<unknown>,
  onError: (error: unknown) => void,
): Repetition {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let stopped = false;
  const schedule = () => {
    if (!stopped) timer = setTimeout(run, intervalMs * (0.8 + 0.4 * Math.random()));
  };
  const run = () => {
    running = work()
      .then(() => undefined, onError)
      .then(schedule);
  };
  schedule();
  return {
    stop: () => {
      stopped = true;
      clearTimeout(timer);
      return running;
    },
  };
}
