import { hidingValues, personalValues } from '@coordinator/logging';
import { CoordinatorError, type Receipt, type TaskQueue } from '@coordinator/tasks';
import type { IncomingHttpHeaders } from 'node:http';
import { refuseCardNumbers } from './card-number.ts';
import { readJsonBody } from './json-body.ts';
import type { Route, RouteContext } from './route.ts';
import { webhookQueue } from './webhook-queue.ts';

/** A request whose bytes have arrived and whose bearer token, where the route wants one, has been checked. */
export interface ReceivedRequest {
  readonly rawBody: Buffer;
  readonly headers: IncomingHttpHeaders;
  readonly context: Omit<RouteContext, 'queue'> & { readonly queue: TaskQueue };
}

/**
 * What every route does with a body: signature over the raw bytes before anything is parsed, then schema, then the
 * route's own `accept`.
 *
 * @throws CoordinatorError COORD_SIGNATURE_*, COORD_BODY_*, COORD_INTERNAL for a mistake in the route, and those of `accept`
 */
export async function acceptRequest(route: Route, { rawBody, headers, context }: ReceivedRequest): Promise<Receipt[]> {
  const { caller, queue, idempotencyKey } = context;
  const { path, auth } = route;
  const bearer = auth.scheme === 'bearer';
  if (!bearer) verify(auth.verify, rawBody, headers, context);
  const body = readJsonBody(rawBody, route.body, bearer ? 'all' : 'none');
  if (bearer) refuseCardNumbers([body, idempotencyKey]);
  const request = idempotencyKey === undefined ? undefined : { key: idempotencyKey, body: rawBody };
  // What a provider reports is no caller's own: its jobs are everyone's to read.
  const owned = { ...context, queue: bearer ? queue.for(caller, request) : webhookQueue({ ...context, path }) };
  return hidingValues(
    () => personalValues(route.body, body),
    () => accepted(() => route.accept(body, owned), context),
  );
}

/** A mistake in the route is logged here, where the personal data of the body are still known and hidden. */
async function accepted(accept: () => Promise<Receipt[]>, { log }: Pick<RouteContext, 'log'>): Promise<Receipt[]> {
  try {
    return await accept();
  } catch (error) {
    if (error instanceof CoordinatorError) throw error;
    log.error({ err: error }, 'a route failed');
    throw new CoordinatorError('COORD_INTERNAL', undefined, { cause: error });
  }
}

function verify(
  check: (rawBody: Buffer, headers: IncomingHttpHeaders) => void,
  rawBody: Buffer,
  headers: IncomingHttpHeaders,
  { log, caller }: Pick<RouteContext, 'log' | 'caller'>,
): void {
  try {
    check(rawBody, headers);
  } catch (error) {
    // Neither the body nor the signature is logged: both come from a stranger.
    log.warn({ caller, reason: error instanceof Error ? error.name : 'unknown' }, 'webhook signature refused');
    const unreadable = error instanceof CoordinatorError && error.code === 'COORD_SIGNATURE_MALFORMED';
    throw unreadable ? error : new CoordinatorError('COORD_SIGNATURE_INVALID');
  }
}
