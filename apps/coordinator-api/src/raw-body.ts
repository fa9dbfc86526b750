import { CoordinatorError } from '@coordinator/tasks';
import type { ServerResponse } from 'node:http';

const JSON_UTF8 = /^application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;

/** What a chunk takes besides its bytes: a body may come one byte at a time. */
const CHUNK_BYTES = 256;

/** A body that is coming in. */
interface Arrival {
  heldBytes: number;
  readonly refuse: (error: CoordinatorError) => void;
}

/**
 * The bodies that a process holds: those that are coming in, and those of requests that are being answered. Together
 * they have a limit. Where it is reached, whoever has been sending for the longest is refused: an honest sender is done
 * in a moment, and one who fills the memory never is.
 */
export class RawBodies {
  readonly #maxHeldBytes: number;
  #heldBytes = 0;
  /** Oldest first. */
  readonly #arriving = new Set<Arrival>();

  /** @param maxHeldBytes of all bodies together. Default 64 MiB */
  constructor(maxHeldBytes = 67_108_864) {
    this.#maxHeldBytes = maxHeldBytes;
  }

  /**
   * Reads the bytes of a JSON request, which are held until release(). What is too large is refused at its
   * Content-Length, before a byte is read or asked for.
   *
   * @throws CoordinatorError COORD_CONTENT_TYPE, COORD_BODY_TOO_LARGE, COORD_BODY_MALFORMED (the caller went away),
   *   COORD_OVERLOADED
   */
  read(response: ServerResponse, maxBytes: number): Promise<Buffer> {
    const request = response.req;
    const { headers, httpVersion } = request;
    if (!JSON_UTF8.test(headers['content-type'] ?? '') || headers['content-encoding'] !== undefined) {
      return Promise.reject(new CoordinatorError('COORD_CONTENT_TYPE'));
    }
    if (Number(headers['content-length'] ?? 0) > maxBytes) return Promise.reject(tooLarge(maxBytes));
    if (headers.expect !== undefined && httpVersion === '1.1') response.writeContinue();

    return new Promise((resolve, reject) => {
      let chunks: Buffer[] = [];
      let size = 0;
      const refuse = (error: CoordinatorError) => {
        request.removeAllListeners('data');
        request.pause();
        chunks = [];
        this.#forget(arrival);
        reject(error);
      };
      const arrival: Arrival = { heldBytes: 0, refuse };
      request.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > maxBytes) return refuse(tooLarge(maxBytes));
        chunks.push(chunk);
        this.#hold(arrival, chunk.length + CHUNK_BYTES);
      });
      request.on('end', () => {
        const isRefused = size > 0 && !this.#arriving.has(arrival);
        if (isRefused) return;
        this.#forget(arrival);
        this.#heldBytes += size;
        resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks));
      });
      request.on('error', () => refuse(new CoordinatorError('COORD_BODY_MALFORMED', 'The body did not arrive whole')));
    });
  }

  /** The request of this body is answered. */
  release(rawBody: Buffer): void {
    this.#heldBytes -= rawBody.length;
  }

  #hold(arrival: Arrival, bytes: number): void {
    if (arrival.heldBytes === 0) this.#arriving.add(arrival);
    arrival.heldBytes += bytes;
    this.#heldBytes += bytes;
    if (this.#heldBytes > this.#maxHeldBytes) this.#refuseOldest();
  }

  #refuseOldest(): void {
    for (const { refuse } of this.#arriving) {
      refuse(new CoordinatorError('COORD_OVERLOADED', 'Too many bodies are coming in at once: send faster, or later'));
      if (this.#heldBytes <= this.#maxHeldBytes) return;
    }
  }

  #forget(arrival: Arrival): void {
    if (this.#arriving.delete(arrival)) this.#heldBytes -= arrival.heldBytes;
  }
}

function tooLarge(maxBytes: number): CoordinatorError {
  return new CoordinatorError('COORD_BODY_TOO_LARGE', `The body may have at most ${maxBytes} bytes`);
}
