import type { Logger } from '@coordinator/logging';
import { createServer, type RequestListener, type Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/** Makes the HTTP server, with limits against slow and greedy senders. */
export function createApiServer(app: RequestListener, draining: () => boolean): Server {
  const server = createServer({
    headersTimeout: 5_000,
    requestTimeout: 10_000,
    connectionsCheckingInterval: 1_000,
    // Longer than the idle time of common load balancers (60 s), so that it is they who close.
    keepAliveTimeout: 65_000,
  });
  server.maxHeadersCount = 100;
  server.on('request', (request, response) => {
    if (draining()) response.setHeader('connection', 'close');
    app(request, response);
  });
  return server;
}

/** What a shutdown goes through. */
export interface ShutdownOptions {
  readonly server: Server;
  readonly log: Logger;
  /** How long requests in flight may take. */
  readonly graceMs: number;
  /** How long requests are still served after /readyz has turned, so that load balancers see it. */
  readonly delayMs: number;
}

/** Stops accepting connections, lets requests in flight be answered, and resolves when all are. */
export async function drainServer({ server, log, graceMs, delayMs }: ShutdownOptions): Promise<void> {
  if (delayMs > 0) await delay(delayMs);
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // A connection that was in use at close() stays open for its keep-alive time once it is idle.
  const sweep = setInterval(() => server.closeIdleConnections(), 100);
  const late = setTimeout(() => {
    log.warn('requests did not end in time: their connections are cut');
    server.closeAllConnections();
  }, graceMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(late);
}
