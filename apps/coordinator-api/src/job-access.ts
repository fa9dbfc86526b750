import type { JobRecord } from '@coordinator/tasks';

/**
 * Whether a caller may read a job: one that came from its own requests, or from nobody's, as jobs of webhooks and
 * schedules do. A newer release may have written the envelope, so only the caller in it is read. Where that cannot be
 * told, because the record is damaged, nobody may.
 */
export function mayRead(caller: string, { envelope }: JobRecord): boolean {
  try {
    const stored: unknown = JSON.parse(envelope);
    if (typeof stored !== 'object' || stored === null) return false;
    const { caller: owner } = stored as { readonly caller?: unknown };
    return owner === undefined || owner === caller;
  } catch {
    return false;
  }
}
