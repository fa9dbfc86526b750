import { traceIdOf, injectTraceContext } from '@coordinator/tracing';
import { CoordinatorError, errorCodes, type CoordinatorErrorCode } from '@coordinator/tasks';
import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';

/** Seconds after which a refused caller may try again. */
const RETRY_AFTER_S = '1';

/** Answers with an RFC 9457 problem. Anything that is no CoordinatorError is told as COORD_INTERNAL and nothing more. */
export function sendProblem(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
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
  response.writeHead(status, {
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(body),
    ...(status === 503 && retryable ? { 'retry-after': RETRY_AFTER_S } : {}),
    ...(status === 401 && code !== 'COORD_SIGNATURE_INVALID' ? { 'www-authenticate': 'Bearer' } : {}),
    ...SECURITY_HEADERS,
  });
  response.end(body);
}

/** What support asks for: the trace id of the request, where it has a trace. */
function requestId(): string {
  return traceIdOf(injectTraceContext()) ?? randomBytes(16).toString('hex');
}

/** On every answer: nothing here is to be sniffed or stored. */
export const SECURITY_HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const;

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
