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

/** Nobody who knows a secret of the route has signed the request. */
export class SignatureRefusal extends CoordinatorError {
  /** What kind of error the route's own check has thrown. Its message may quote the body or the header of a stranger. */
  readonly reason: string;

  constructor(thrown: unknown) {
    if (thrown instanceof CoordinatorError && thrown.code === 'COORD_SIGNATURE_MALFORMED')
      super(thrown.code, thrown.message);
    else super('COORD_SIGNATURE_INVALID');
    this.reason = thrown instanceof Error ? thrown.name : 'unknown';
  }
}

/**
 * Refuses a request before its body is read, where its headers alone say that nobody has signed it.
 *
 * @throws SignatureRefusal
 */
export function screenRequest({ auth }: Route, headers: IncomingHttpHeaders): void {
  if (auth.scheme !== 'signature' || !auth.screen) return;
  const { screen } = auth;
  orRefusal(() => screen(headers));
}

/**
 * What every route does with a body: signature over the raw bytes before anything is parsed, then schema, then the
 * route's own `accept`.
 *
 * @throws SignatureRefusal, CoordinatorError COORD_IDEMPOTENCY_KEY_REQUIRED, COORD_BODY_*, COORD_INTERNAL for a mistake in
 *   the route, and those of `accept`
 */
export async function acceptRequest(route: Route, { rawBody, headers, context }: ReceivedRequest): Promise<Receipt[]> {
  const { caller, queue, idempotencyKey } = context;
  const { path, auth } = route;
  const bearer = auth.scheme === 'bearer';
  if ('idempotencyKey' in route && route.idempotencyKey === 'required' && idempotencyKey === undefined) {
    throw new CoordinatorError('COORD_IDEMPOTENCY_KEY_REQUIRED');
  }
  if (!bearer) orRefusal(() => auth.verify(rawBody, headers));
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

function orRefusal(check: () => void): void {
  try {
    check();
  } catch (error) {
    throw new SignatureRefusal(error);
  }
}
