import { CoordinatorError } from '@coordinator/tasks';
import type { Express } from 'express';
import { sendJson } from './problem.ts';

/** What the probes need. */
export interface ProbeOptions {
  readonly release: string;
  readonly draining: () => boolean;
  /** Rejects while Redis cannot be written. */
  readonly assertWritable: () => Promise<void>;
}

/** Mounts `/livez` (the event loop turns), `/readyz` (jobs can be accepted) and `/version`. */
export function mountProbes(app: Express, { release, draining, assertWritable }: ProbeOptions): void {
  app.get('/livez', (_request, response) => sendJson(response, 200, { status: 'ok' }));
  app.get('/readyz', async (_request, response) => {
    if (draining()) throw new CoordinatorError('COORD_DRAINING');
    await assertWritable();
    sendJson(response, 200, { status: 'ok' });
  });
  app.get('/version', (_request, response) => sendJson(response, 200, { release }));
}
