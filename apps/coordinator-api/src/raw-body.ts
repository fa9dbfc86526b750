import { CoordinatorError } from '@coordinator/tasks';
import type { IncomingMessage } from 'node:http';

const JSON_UTF8 = /^application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;

/**
 * Reads the bytes of a JSON request. What is too large is refused at its Content-Length, before a byte is read.
 *
 * @throws CoordinatorError COORD_CONTENT_TYPE, COORD_BODY_TOO_LARGE, COORD_BODY_MALFORMED (the caller went away)
 */
export function readRawBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const { headers } = request;
  if (!JSON_UTF8.test(headers['content-type'] ?? '') || headers['content-encoding'] !== undefined) {
    return Promise.reject(new CoordinatorError('COORD_CONTENT_TYPE'));
  }
  if (Number(headers['content-length'] ?? 0) > maxBytes) return Promise.reject(tooLarge(maxBytes));

  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) {
        request.removeAllListeners('data');
        request.pause();
        reject(tooLarge(maxBytes));
      } else {
        chunks.push(chunk);
      }
    });
    request.on('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    request.on('error', () => reject(new CoordinatorError('COORD_BODY_MALFORMED', 'The body did not arrive whole')));
  });
}

function tooLarge(maxBytes: number): CoordinatorError {
  return new CoordinatorError('COORD_BODY_TOO_LARGE', `The body may have at most ${maxBytes} bytes`);
}
