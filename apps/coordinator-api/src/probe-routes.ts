import { CoordinatorError } from '@coordinator/tasks';
import type { Express } from 'express';
import { sendJson } from './problem.ts';

/** What the probes need. */
export interface ProbeOptions {
  readonly release: string;
  /** Whether the process has begun its work; true for good once it is. */
  readonly started: () => boolean;
  readonly draining: () => boolean;
  /** Rejects while Redis cannot be written. */
  readonly assertWritable: () => Promise<void>;
}

/** Mounts `/livez` (the event loop turns), `/startupz`, `/readyz` (jobs can be accepted) and `/version`. */
export function mountProbes(app: Express, { release, started, draining, assertWritable }: ProbeOptions): void {
  app.get('/livez', (_request, response) => sendJson(response, 200, { status: 'ok' }));
  app.get('/startupz', (_request, response) => {
    if (!started()) throw new CoordinatorError('COORD_QUEUE_UNAVAILABLE', 'The queue was not reached yet');
    sendJson(response, 200, { status: 'ok' });
  });
  app.get('/readyz', async (_request, response) => {
    if (draining()) throw new CoordinatorError('COORD_DRAINING');
    await assertWritable();
    sendJson(response, 200, { status: 'ok' });
  });
  app.get('/version', (_request, response) => sendJson(response, 200, { release }));
}
