import type { Logger } from '@coordinator/logging';
import { RepeatedErrors } from '@coordinator/tasks';
import { readFileSync } from 'node:fs';
import type { ServerOptions } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import { clientNameCheck, namesOf } from './client-names.ts';
import { keepFresh } from './fresh-files.ts';

/** How a server speaks TLS; all files are in PEM. */
export interface TlsSettings {
  readonly certFile: string;
  readonly keyFile: string;
  /** Authorities of clients. With it a client must show a certificate of theirs. Default: clients show none. */
  readonly clientCaFile?: string | undefined;
  /** Subject alternative names, one of which it must have. Default: any. */
  readonly clientNames?: readonly string[] | undefined;
  readonly log: Logger;
  /** How often the files are looked at. Default 10 000. */
  readonly reloadEveryMs?: number | undefined;
}

const HANDSHAKE_MS = 5_000;

/**
 * Makes an HTTPS server, of TLS 1.2 or newer. Files that change are read again for connections that come; those that do
 * not fit together change nothing until they do. Whoever is refused at the handshake gets no answer in HTTP.
 */
export function createTlsServer(options: ServerOptions, settings: TlsSettings): Server {
  const { clientCaFile, clientNames, log } = settings;
  const files = readFiles(settings);
  const asksClients = clientCaFile !== undefined;
  const server = createServer({
    ...options,
    ...files,
    handshakeTimeout: HANDSHAKE_MS,
    requestCert: asksClients,
    rejectUnauthorized: asksClients,
  });
  const refusals = new RepeatedErrors((fields, message) => log.warn(fields, message));
  const refuse = (socket: TLSSocket, reason: string) => {
    const names = asksClients ? namesOf(socket.getPeerX509Certificate()) : [];
    refusals.report(new Error(reason), 'a client was refused at the TLS handshake', { names });
    socket.destroy();
  };
  // Before the listener of the HTTP server, which would have the failure answered in HTTP, and unencrypted.
  server.prependListener('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    refuse(socket, String(socket.authorizationError ?? error.code));
  });
  if (asksClients && clientNames) {
    const isClient = clientNameCheck(clientNames);
    server.prependListener('secureConnection', (socket) => {
      if (!isClient(socket.getPeerX509Certificate())) refuse(socket, 'none of its names is in API_TLS_CLIENT_NAMES');
    });
  }
  const stop = keepFresh({
    read: () => readFiles(settings),
    first: files,
    use: (found) => server.setSecureContext(found),
    messages: {
      taken: 'the TLS files were read again',
      // One of them was written, and the others will follow.
      refused: 'the TLS files do not fit together: those that were read before stay in use',
    },
    ...{ log, reloadEveryMs: settings.reloadEveryMs },
  });
  server.once('close', stop);
  return server;
}

function readFiles({ certFile, keyFile, clientCaFile }: TlsSettings): SecureContextOptions {
  return {
    cert: readFileSync(certFile),
    key: readFileSync(keyFile),
    ...(clientCaFile === undefined ? {} : { ca: readFileSync(clientCaFile) }),
    minVersion: 'TLSv1.2',
  };
}
