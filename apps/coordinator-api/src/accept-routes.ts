import { acceptRequest, screenRequest, SignatureRefusal, type Registry, type Route } from '@coordinator/extension';
import type { Logger } from '@coordinator/logging';
import { CoordinatorError, RepeatedErrors, type Receipt, type TaskQueue } from '@coordinator/tasks';
import {
  ATTR,
  countRefusedWebhook,
  extractTraceContext,
  inSpan,
  markFailed,
  type TraceCarrier,
} from '@coordinator/tracing';
import { SpanKind } from '@opentelemetry/api';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BearerCheck } from './bearer.ts';
import { readIdempotencyKey } from './idempotency-key.ts';
import type { Overload } from './overload.ts';
import { sendJson, sendProblem } from './problem.ts';
import type { RawBodies } from './raw-body.ts';

/** What the routes of extensions need. */
export interface AcceptRoutesOptions {
  readonly registry: Registry;
  /** The environment of all extensions, see readConfig. */
  readonly config: unknown;
  readonly queue: TaskQueue;
  readonly checkBearer: BearerCheck;
  readonly overload: Overload;
  readonly rawBodies: RawBodies;
  readonly log: Logger;
}

/** Answers a request, whatever happens. */
export type Accept = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** What `POST` does on the paths of all extensions: check, one write, 202. */
export function acceptRoutes(options: AcceptRoutesOptions): ReadonlyMap<string, Accept> {
  const refusals = new RepeatedErrors((fields, message) => options.log.warn(fields, message));
  const edge = { ...options, keysInFlight: new Set<string>(), refusals };
  return new Map(
    options.registry
      .routes(options.config)
      .map(({ extension, route }) => [
        route.path,
        (request, response) => accept(extension, route, request, response, edge),
      ]),
  );
}

interface Edge extends AcceptRoutesOptions {
  /** Idempotency keys of requests that this process is answering. What another one answers, Redis decides. */
  readonly keysInFlight: Set<string>;
  /** Signatures that were refused. */
  readonly refusals: RepeatedErrors;
}

function accept(
  extension: string,
  route: Route,
  request: IncomingMessage,
  response: ServerResponse,
  edge: Edge,
): Promise<void> {
  const settings = {
    kind: SpanKind.SERVER,
    parent: extractTraceContext(request.headers as TraceCarrier),
    attributes: { [ATTR.httpRequestMethod]: 'POST', [ATTR.httpRoute]: route.path, [ATTR.extension]: extension },
  };
  return inSpan(`POST ${route.path}`, settings, async (span) => {
    try {
      const receipts = await receive(extension, route, response, edge);
      sendReceipts(response, receipts);
    } catch (error) {
      if (error instanceof SignatureRefusal) tellRefusal(extension, error, edge.refusals);
      else if (!(error instanceof CoordinatorError)) edge.log.error({ err: error }, 'a route failed');
      sendProblem(response, error);
    }
    span.setAttribute(ATTR.httpResponseStatusCode, response.statusCode);
    if (response.statusCode >= 500) markFailed(span, { code: response.statusCode });
  });
}

/** Strangers may send as many as they like, so the log holds a few and the metric counts them all. */
function tellRefusal(extension: string, { code, reason }: SignatureRefusal, refusals: RepeatedErrors): void {
  countRefusedWebhook({ extension, code });
  // Neither the body nor the signature is logged, nor what the check has said of them: they come from a stranger.
  refusals.report(reason, `webhook signature refused: ${extension}`, { caller: extension, code });
}

async function receive(
  extension: string,
  route: Route,
  response: ServerResponse,
  { queue, log, checkBearer, overload, rawBodies, keysInFlight }: Edge,
): Promise<Receipt[]> {
  const { headers } = response.req;
  const bearer = route.auth.scheme === 'bearer';
  const caller = bearer ? await checkBearer(headers.authorization) : extension;
  // Of a webhook only the body is signed: its keys come from there.
  const key = bearer ? readIdempotencyKey(headers['idempotency-key']) : undefined;
  const idempotencyKey = key === undefined ? undefined : JSON.stringify([route.path, caller, key]);
  screenRequest(route, headers);
  const rawBody = await rawBodies.read(response, route.maxBytes);
  try {
    if (idempotencyKey !== undefined && keysInFlight.has(idempotencyKey)) {
      throw new CoordinatorError('COORD_IDEMPOTENCY_IN_FLIGHT');
    }
    overload.enter();
    if (idempotencyKey !== undefined) keysInFlight.add(idempotencyKey);
    try {
      return await acceptRequest(route, { rawBody, headers, context: { caller, queue, idempotencyKey, log } });
    } finally {
      if (idempotencyKey !== undefined) keysInFlight.delete(idempotencyKey);
      overload.leave();
    }
  } finally {
    rawBodies.release(rawBody);
  }
}

function sendReceipts(response: ServerResponse, receipts: readonly Receipt[]): void {
  const [first] = receipts;
  const replayed = first !== undefined && receipts.every((receipt) => receipt.duplicate);
  const links = first === undefined ? {} : { self: `/v1/jobs/${first.jobId}` };
  sendJson(response, 202, { jobs: receipts, links }, replayed ? { 'idempotency-replayed': 'true' } : {});
}
