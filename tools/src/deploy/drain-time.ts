/** After the jobs and requests a process flushes its telemetry, for 2 s at most, and some more is left for a busy machine. */
const AFTER_DRAIN_MS = 10_000;

/** How long a process with these settings may take from SIGTERM to its exit: who kills it earlier breaks its drain. */
export function drainTimeMs(settings: Readonly<Record<string, unknown>>): number {
  const { SHUTDOWN_DELAY_MS = 0, SHUTDOWN_GRACE_MS } = settings as Record<string, number>;
  return SHUTDOWN_DELAY_MS + (SHUTDOWN_GRACE_MS as number) + AFTER_DRAIN_MS;
}
