/** Exit code for an error that ends a command: what the error itself asks for (69 where no Redis can be had), or 1. */
export function exitCodeOf(error: unknown): number {
  const wanted = (error as { exitCode?: unknown } | null)?.exitCode;
  return typeof wanted === 'number' ? wanted : 1;
}
