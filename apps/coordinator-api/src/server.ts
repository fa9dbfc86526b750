import type { Logger } from '@coordinator/logging';
import { createHttpServer, type TlsSettings } from '@coordinator/process';
import { CoordinatorError } from '@coordinator/tasks';
import type { IncomingMessage, RequestListener, Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { closeAfter, isAbandoned, isTooLong, requestsOn } from './pipeline.ts';
import { sendProblem } from './problem.ts';
import { answerProtocolErrors } from './protocol-errors.ts';

/** What the HTTP server of the API is made of. */
export interface ApiServerOptions {
  readonly app: RequestListener;
  readonly draining: () => boolean;
  /** Further ones are closed as they come. Default 4096. */
  readonly maxConnections?: number | undefined;
  /** Default: it speaks HTTP in the clear. */
  readonly tls?: TlsSettings | undefined;
}

/** Makes the HTTP server of the API, with limits against slow and greedy senders. */
export function createApiServer({ app, draining, maxConnections = 4_096, tls }: ApiServerOptions): Server {
  // The gate asks for the Host, and answers with a problem where Node would answer with nothing.
  const server = createHttpServer({ requireHostHeader: false, maxConnections, tls });
  // Connections that are kept for later must not keep out those that have something to say now.
  server.on('drop', () => server.closeIdleConnections());
  answerProtocolErrors(server);
  // Node would go on reading, and answer with a bare 503.
  const isLast = ({ socket }: IncomingMessage) => requestsOn(socket) >= (server.maxRequestsPerSocket ?? Infinity);
  server.on('request', (request, response) => {
    if (isAbandoned(response)) return void request.resume();
    if (isTooLong(request.socket)) {
      closeAfter(response);
      return sendProblem(
        response,
        new CoordinatorError('COORD_OVERLOADED', 'One connection waits for too many answers'),
      );
    }
    // Whoever asks for another protocol is answered in this one, and does not keep the connection for it.
    if (draining() || request.headers.upgrade !== undefined || isLast(request)) closeAfter(response);
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
  if (delayMs > 0) {
    log.info({ delayMs }, 'serving on until load balancers look away');
    await delay(delayMs);
  }
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
