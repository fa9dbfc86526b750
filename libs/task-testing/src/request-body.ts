import type { IncomingMessage } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { Problem } from './problem.ts';

/** Largest body that a fake server reads: a full batch of spans fits several times. */
const MAX_BYTES = 16 * 1024 * 1024;

/** Reads the bytes of a body, unpacked where it came with gzip. @throws Problem 400, 413 */
export async function readRawBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BYTES) throw new Problem(413, `The body is larger than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  if (request.headers['content-encoding'] !== 'gzip') return body;
  try {
    return gunzipSync(body, { maxOutputLength: MAX_BYTES });
  } catch (error) {
    throw new Problem(400, `The body is not readable gzip: ${(error as Error).message}`);
  }
}

/** The JSON value or the form fields of a body; undefined when it is empty or of another type. @throws Problem 400 */
export function parseBody(rawBody: Buffer, contentType: string | undefined): unknown {
  if (rawBody.length === 0) return undefined;
  const type = contentType?.split(';')[0]?.trim().toLowerCase() ?? '';
  if (type === 'application/x-www-form-urlencoded') return formOf(new URLSearchParams(rawBody.toString()));
  if (type !== 'application/json' && !type.endsWith('+json')) return undefined;
  return parseJson(rawBody);
}

/** Reads JSON. @throws Problem 400 */
export function parseJson(rawBody: Buffer): unknown {
  try {
    return JSON.parse(rawBody.toString());
  } catch (error) {
    throw new Problem(400, `The body is not JSON: ${(error as Error).message}`);
  }
}

/** A name that comes once gives its text, one that comes again the list of all. */
function formOf(fields: URLSearchParams): Record<string, string | string[]> {
  const names = [...new Set(fields.keys())];
  return Object.fromEntries(
    names.map((name) => {
      const values = fields.getAll(name);
      return [name, values.length === 1 ? (values[0] as string) : values];
    }),
  );
}
