import { MAX_HEADERS } from '@coordinator/process';
import { CoordinatorError } from '@coordinator/tasks';
import type { IncomingMessage } from 'node:http';

/** Longest path with its query, in characters. */
const MAX_PATH = 2_048;

/** Where a load balancer looks; it may know the process by its address only. */
export const PROBE_PATHS: ReadonlySet<string> = new Set(['/livez', '/startupz', '/readyz', '/version']);

/** Looks at what comes before the body. @throws CoordinatorError for what nobody sends in good faith */
export type RequestGate = (request: IncomingMessage) => void;

/** A name, an IPv4 address or an IPv6 address in brackets, and perhaps a port. Names of containers hold underscores. */
const HOST = /^(\[[\da-f:.]+\]|[\w.-]+)(?::\d{1,5})?$/i;

/** Headers of which Node keeps the first, or joins all, where another server on the way may have read the last. */
const SINGLE_HEADERS = ['host', 'authorization', 'content-type', 'idempotency-key'] as const;
const SINGLE_LENGTHS: ReadonlySet<number> = new Set(SINGLE_HEADERS.map((name) => name.length));

/**
 * Makes the gate that every request passes before anything is looked up.
 *
 * @param hosts what the Host header may hold, with its port or for every port. None given: any well-formed one
 */
export function requestGate(hosts: readonly string[]): RequestGate {
  const served = new Set(hosts.map((host) => host.toLowerCase()));
  // The same few come over and over.
  let knownHost: string | undefined;

  const checkHost = (request: IncomingMessage): void => {
    const { host } = request.headers;
    if (host === knownHost && host !== undefined) return;
    // HTTP/1.0 has none, and old health checks speak it.
    if (host === undefined && request.httpVersion === '1.0' && PROBE_PATHS.has(request.url ?? '')) return;
    const name = HOST.exec(host ?? '')?.[1];
    if (name === undefined) throw malformed('A request names one host, in a Host header');
    if (served.size > 0 && !served.has(name.toLowerCase()) && !served.has(String(host).toLowerCase())) {
      if (PROBE_PATHS.has(request.url ?? '')) return;
      throw new CoordinatorError('COORD_HOST_UNKNOWN');
    }
    knownHost = host;
  };

  return (request) => {
    const { rawHeaders, url = '' } = request;
    if (rawHeaders.length > MAX_HEADERS * 2) throw new CoordinatorError('COORD_HEADERS_TOO_LARGE');
    checkSingleHeaders(rawHeaders);
    checkHost(request);
    checkFraming(request);
    if (url.length > MAX_PATH) throw new CoordinatorError('COORD_PATH_TOO_LONG');
    if (!isReadablePath(url)) throw new CoordinatorError('COORD_PATH_INVALID');
  };
}

/**
 * Where a body ends must be told in one way that every server on the way reads alike.
 * Source: https://www.rfc-editor.org/rfc/rfc9112#section-6.1
 */
function checkFraming({ headers, httpVersion }: IncomingMessage): void {
  const encoding = headers['transfer-encoding'];
  if (encoding === undefined || (httpVersion === '1.1' && encoding.toLowerCase() === 'chunked')) return;
  throw malformed('A Transfer-Encoding is chunked and nothing else, in HTTP/1.1');
}

/** @param rawHeaders names and values by turns */
function checkSingleHeaders(rawHeaders: readonly string[]): void {
  let seen = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (!SINGLE_LENGTHS.has(name.length)) continue;
    const index = SINGLE_HEADERS.indexOf(name.toLowerCase() as (typeof SINGLE_HEADERS)[number]);
    if (index === -1) continue;
    if ((seen & (1 << index)) !== 0) throw malformed(`The header ${SINGLE_HEADERS[index]} may come once`);
    seen |= 1 << index;
  }
}

function isReadablePath(url: string): boolean {
  if (!url.startsWith('/')) return false;
  if (!url.includes('%')) return true;
  try {
    decodeURIComponent(url);
    return true;
  } catch {
    return false;
  }
}

function malformed(message: string): CoordinatorError {
  return new CoordinatorError('COORD_REQUEST_MALFORMED', message);
}
