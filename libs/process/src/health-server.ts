import { METRICS_CONTENT_TYPE } from '@coordinator/tracing';
import type { RequestListener, Server, ServerResponse } from 'node:http';
import { createHttpServer, SECURITY_HEADERS } from './http-server.ts';

/** What the probes need. */
export interface HealthOptions {
  readonly release: string;
  /** Whether the process has begun its work; true for good once it is. */
  readonly started: () => boolean;
  readonly draining: () => boolean;
  /** Rejects while Redis cannot be written. */
  readonly assertWritable: () => Promise<void>;
  readonly metricsText: () => Promise<string>;
  /** Answers every other path, and looks at the Host itself. Default: there is none. */
  readonly others?: RequestListener;
}

/** Answers `/livez`, `/startupz`, `/readyz`, `/version` and `/metrics`; listens to nothing yet. */
export function createHealthServer(options: HealthOptions): Server {
  const { release, started, draining, assertWritable, metricsText, others } = options;
  const routes = new Map<string, (response: ServerResponse) => Promise<void>>([
    ['/livez', async (response) => send(response, 200, { status: 'ok' })],
    [
      '/startupz',
      async (response) =>
        started() ? send(response, 200, { status: 'ok' }) : send(response, 503, { status: 'starting' }),
    ],
    [
      '/readyz',
      async (response) => {
        if (draining()) return send(response, 503, { status: 'draining' });
        await assertWritable().then(
          () => send(response, 200, { status: 'ok' }),
          () => send(response, 503, { status: 'redis-unavailable' }),
        );
      },
    ],
    ['/version', async (response) => send(response, 200, { release })],
    [
      '/metrics',
      async (response) => {
        const text = await metricsText();
        response.writeHead(200, { 'content-type': METRICS_CONTENT_TYPE, ...SECURITY_HEADERS }).end(text);
      },
    ],
  ]);
  return createHttpServer({ requireHostHeader: others === undefined }).on('request', (request, response) => {
    const answer = routes.get(request.url ?? '');
    if (!answer && others) return others(request, response);
    if (!answer) return send(response, 404, { status: 'not-found' });
    answer(response).catch(() => send(response, 500, { status: 'error' }));
  });
}

function send(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent) return;
  response.writeHead(status, { 'content-type': 'application/json', ...SECURITY_HEADERS });
  response.end(JSON.stringify(body));
}
