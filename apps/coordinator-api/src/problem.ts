import { SECURITY_HEADERS } from '@coordinator/process';
import { traceIdOf, injectTraceContext } from '@coordinator/tracing';
import { CoordinatorError, errorCodes, type CoordinatorErrorCode } from '@coordinator/tasks';
import { randomBytes } from 'node:crypto';
import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import { closeAfter } from './pipeline.ts';

/** Seconds after which a refused caller may try again. */
const RETRY_AFTER_S = '1';
/** Refusals that pass by themselves: a request in flight, a rate, a process or a queue that is away. */
const PASSING: ReadonlySet<number> = new Set([409, 429, 503]);
const DISCARD_MS = 1_000;
/** What a token has to be. Source: https://www.rfc-editor.org/rfc/rfc6750#section-3 */
const CHALLENGES: Partial<Record<CoordinatorErrorCode, string>> = {
  COORD_UNAUTHORIZED: 'Bearer',
  COORD_FORBIDDEN: 'Bearer error="insufficient_scope"',
};
/** Source: https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header-07#section-2.7 */
const IDEMPOTENCY_KEY_DRAFT =
  '<https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/>; rel="describedby"';

/** Answers with an RFC 9457 problem. Anything that is no CoordinatorError is told as COORD_INTERNAL and nothing more. */
export function sendProblem(response: ServerResponse, error: unknown): void {
  // Answers are written whole, so this one has been given.
  if (response.headersSent) return;
  const { code, status, headers, body } = problemOf(error);
  const { req } = response;
  // Whether the body has come by now would tell how long a token was looked at: all that are refused are told the same.
  const unread = hasBody(req) && (!req.complete || code === 'COORD_UNAUTHORIZED');
  if (unread) closeAfter(response);
  response.writeHead(status, headers);
  if (unread) endAfterBody(response, body);
  else response.end(body);
}

/**
 * Ends an answer, and with it the connection, once the request has been read and thrown away, or after a moment: closing
 * over unread bytes would reset the connection, and the caller might never see the answer.
 */
function endAfterBody(response: ServerResponse, body: string): void {
  response.write(body);
  const late = setTimeout(() => response.end(), DISCARD_MS).unref();
  response.req.once('close', () => {
    clearTimeout(late);
    response.end();
  });
  response.req.resume();
}

/** The same as the bytes of a last answer, for a connection on which no request could be read. */
export function problemBytes(error: CoordinatorError): string {
  const { status, headers, body } = problemOf(error);
  const lines = Object.entries({ ...headers, connection: 'close' }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`;
}

function problemOf(error: unknown) {
  const known = error instanceof CoordinatorError;
  const code: CoordinatorErrorCode = known ? error.code : 'COORD_INTERNAL';
  const { status, title, retryable } = errorCodes[code];
  const body = JSON.stringify({
    type: `urn:commerce-coordinator:error:${code}`,
    title,
    status,
    code,
    detail: known ? error.message : title,
    ...(known && error.faults.length > 0 ? { errors: error.faults } : {}),
    requestId: requestId(),
  });
  const headers = {
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(body),
    ...(PASSING.has(status) && retryable ? { 'retry-after': RETRY_AFTER_S } : {}),
    ...(code in CHALLENGES ? { 'www-authenticate': CHALLENGES[code] } : {}),
    ...(code === 'COORD_IDEMPOTENCY_KEY_REQUIRED' ? { link: IDEMPOTENCY_KEY_DRAFT } : {}),
    ...SECURITY_HEADERS,
  };
  return { code, status, headers, body };
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** What support asks for: the trace id of the request, where it has a trace. */
export function requestId(): string {
  return traceIdOf(injectTraceContext()) ?? randomBytes(16).toString('hex');
}

/** Answers with JSON. */
export function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = JSON.stringify(value);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...SECURITY_HEADERS,
    ...headers,
  });
  response.end(body);
}
