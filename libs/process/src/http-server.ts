import { createServer, type Server, type ServerOptions } from 'node:http';
import { createTlsServer, type TlsSettings } from './tls-server.ts';

/** How many headers a request may have. */
export const MAX_HEADERS = 100;

/** On every answer: nothing here is to be sniffed or stored. */
export const SECURITY_HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const;

/** Settings of an HTTP server, besides those of Node. */
export interface HttpServerOptions extends ServerOptions {
  /** Further ones are closed as they come. Default 256. */
  readonly maxConnections?: number;
  /** Default: it speaks HTTP in the clear. */
  readonly tls?: TlsSettings | undefined;
}

/**
 * Makes an HTTP server with limits against slow and greedy senders. A request line with its headers has 5 s to arrive
 * and a request 10 s (what is late is looked for twice a second, so the limits are half a second less), and an answer
 * that nobody reads for 15 s ends its connection. Listens to nothing yet.
 */
export function createHttpServer({ maxConnections = 256, tls, ...options }: HttpServerOptions = {}): Server {
  const settings: ServerOptions = {
    headersTimeout: 4_500,
    requestTimeout: 9_500,
    connectionsCheckingInterval: 500,
    // Longer than the idle time of common load balancers (60 s), so that it is they who close.
    keepAliveTimeout: 65_000,
    maxHeaderSize: 16_384,
    ...options,
  };
  const server = tls ? createTlsServer(settings, tls) : createServer(settings);
  // Node does not refuse further ones but leaves them out; rawHeaders tells that there were more.
  server.maxHeadersCount = MAX_HEADERS;
  server.maxRequestsPerSocket = 10_000;
  server.maxConnections = maxConnections;
  server.timeout = 15_000;
  return server;
}
