import { CoordinatorError } from '@coordinator/tasks';
import type { Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { enterPipeline, newestUnanswered } from './pipeline.ts';
import { problemBytes, sendProblem } from './problem.ts';

/** How long the rest of what a sender has to say is read and thrown away, so that it sees the answer. */
const DISCARD_MS = 1_000;

/**
 * Has the server answer what its parser refuses, and what takes too long, with a problem like any other refusal, and
 * close the connection. Where an earlier request of the connection is still being answered, that answer goes first.
 */
export function answerProtocolErrors(server: Server): void {
  const refused = new WeakSet<Duplex>();

  // Before whatever answers, also where that was there first.
  server.prependListener('request', (_request, response) => enterPipeline(response));
  // A sender is told to go on where its body is read, which is behind all that could refuse it.
  server.on('checkContinue', (request, response) => server.emit('request', request, response));
  server.on('checkExpectation', (_request, response: ServerResponse) => {
    enterPipeline(response);
    sendProblem(response, new CoordinatorError('COORD_EXPECTATION_FAILED'));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // The parser reports every chunk that comes after its first error.
    if (refused.has(socket)) return;
    refused.add(socket);
    const refusal = refusalOf(error.code);
    const current = newestUnanswered(socket);
    if (!current || current.writableFinished) close(socket, refusal);
    else if (current.req.complete) current.once('close', () => close(socket, refusal));
    else sendProblem(current, refusal);
  });
}

function close(socket: Duplex, refusal: CoordinatorError): void {
  if (!socket.writable) return void socket.destroy();
  socket.end(problemBytes(refusal));
  setTimeout(() => socket.destroy(), DISCARD_MS).unref();
}

function refusalOf(code: string | undefined): CoordinatorError {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new CoordinatorError('COORD_REQUEST_TIMEOUT');
    case 'HPE_HEADER_OVERFLOW':
      return new CoordinatorError('COORD_HEADERS_TOO_LARGE');
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new CoordinatorError('COORD_BODY_TOO_LARGE', 'The extensions of a chunk are too large');
    default:
      return new CoordinatorError('COORD_REQUEST_MALFORMED');
  }
}
