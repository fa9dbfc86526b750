import { acceptRequest, type Registry, type Route } from '@coordinator/extension';
import type { Logger } from '@coordinator/logging';
import { CoordinatorError, type Receipt, type TaskQueue } from '@coordinator/tasks';
import { ATTR, extractTraceContext, inSpan, markFailed, type TraceCarrier } from '@coordinator/tracing';
import { SpanKind } from '@opentelemetry/api';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BearerCheck } from './bearer.ts';
import { readIdempotencyKey } from './idempotency-key.ts';
import { sendJson, sendProblem } from './problem.ts';
import { readRawBody } from './raw-body.ts';

const DISCARD_MS = 1_000;

/** What the routes of extensions need. */
export interface AcceptRoutesOptions {
  readonly registry: Registry;
  /** The environment of all extensions, see readConfig. */
  readonly config: unknown;
  readonly queue: TaskQueue;
  readonly checkBearer: BearerCheck;
  readonly log: Logger;
  /** True once the process is shutting down. */
  readonly draining: () => boolean;
}

/** Answers a request, whatever happens. */
export type Accept = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** What `POST` does on the paths of all extensions: check, one write, 202. */
export function acceptRoutes(options: AcceptRoutesOptions): ReadonlyMap<string, Accept> {
  return new Map(
    options.registry
      .routes(options.config)
      .map(({ extension, route }) => [
        route.path,
        (request, response) => accept(extension, route, request, response, options),
      ]),
  );
}

function accept(
  extension: string,
  route: Route,
  request: IncomingMessage,
  response: ServerResponse,
  options: AcceptRoutesOptions,
): Promise<void> {
  const settings = {
    kind: SpanKind.SERVER,
    parent: extractTraceContext(request.headers as TraceCarrier),
    attributes: { [ATTR.httpRequestMethod]: 'POST', [ATTR.httpRoute]: route.path, [ATTR.extension]: extension },
  };
  return inSpan(`POST ${route.path}`, settings, async (span) => {
    try {
      const receipts = await receive(extension, route, request, options);
      sendReceipts(response, receipts);
    } catch (error) {
      refuse(request, response, error, options.log);
    }
    span.setAttribute(ATTR.httpResponseStatusCode, response.statusCode);
    if (response.statusCode >= 500) markFailed(span, { code: response.statusCode });
  });
}

async function receive(
  extension: string,
  route: Route,
  request: IncomingMessage,
  { queue, log, checkBearer, draining }: AcceptRoutesOptions,
): Promise<Receipt[]> {
  if (draining()) throw new CoordinatorError('COORD_DRAINING');
  const { headers } = request;
  const caller = route.auth.scheme === 'bearer' ? checkBearer(headers.authorization) : extension;
  const key = readIdempotencyKey(headers['idempotency-key']);
  const idempotencyKey = key === undefined ? undefined : `${caller}:${key}`;
  const rawBody = await readRawBody(request, route.maxBytes);
  return acceptRequest(route, { rawBody, headers, context: { caller, queue, idempotencyKey, log } });
}

function sendReceipts(response: ServerResponse, receipts: readonly Receipt[]): void {
  const [first] = receipts;
  const replayed = first !== undefined && receipts.every((receipt) => receipt.duplicate);
  const links = first === undefined ? {} : { self: `/v1/jobs/${first.jobId}` };
  sendJson(response, 202, { jobs: receipts, links }, replayed ? { 'idempotency-replayed': 'true' } : {});
}

function refuse(request: IncomingMessage, response: ServerResponse, error: unknown, log: Logger): void {
  if (!(error instanceof CoordinatorError)) log.error({ err: error }, 'a route failed');
  if (!request.complete) {
    // The connection cannot be used again. What is still coming is read for a moment and thrown away: closing over
    // unread bytes would reset the connection, and the caller might never see the answer.
    response.setHeader('connection', 'close');
    request.resume();
    setTimeout(() => request.destroy(), DISCARD_MS).unref();
  }
  sendProblem(response, error);
}
