import type { AdminToken } from '@coordinator/config';
import { readJsonBody, type Registry } from '@coordinator/extension';
import type { Logger } from '@coordinator/logging';
import { AuditLog, CoordinatorError, type RedisBackend, type RedisConnection } from '@coordinator/tasks';
import { ATTR, extractTraceContext, inSpan, markFailed, type TraceCarrier } from '@coordinator/tracing';
import { SpanKind } from '@opentelemetry/api';
import express, { type ErrorRequestHandler, type Express, type Request, type Response } from 'express';
import type { RequestListener } from 'node:http';
import type { BearerCheck } from '../bearer.ts';
import { closeAfter, isAbandoned } from '../pipeline.ts';
import { requestId, sendJson, sendProblem } from '../problem.ts';
import { RawBodies } from '../raw-body.ts';
import { requestGate } from '../request-gate.ts';
import { AdminAccess } from './admin-access.ts';
import { AdminQuery } from './admin-query.ts';
import { adminRoutes } from './admin-routes.ts';
import type { AdminRoute } from './admin-route.ts';

/** What the admin API is made of. */
export interface AdminAppOptions {
  readonly registry: Registry;
  readonly backend: RedisBackend;
  /** What the backend uses. */
  readonly connection: RedisConnection;
  readonly tokens: ReadonlyMap<string, AdminToken>;
  /** That of the callers of `/v1`: they are known here, and refused. */
  readonly checkCaller: BearerCheck;
  readonly release: string;
  readonly log: Logger;
  /** True once the process is shutting down. */
  readonly draining: () => boolean;
}

/** What all routes lie below. */
export const ADMIN_BASE = '/admin/v1';

/** No body here is larger than a reason and a filter. */
const MAX_BODY_BYTES = 16_384;
/** Of all bodies that are coming in. */
const MAX_HELD_BYTES = 4_194_304;

/** Builds the admin API, for those who run the Coordinator. Listens to nothing yet. */
export function createAdminApp(options: AdminAppOptions): RequestListener {
  const { registry, backend, connection, log, draining } = options;
  const gate = requestGate([]);
  const auditLog = new AuditLog(connection, backend.keyPrefix);
  const access = new AdminAccess({ ...options, auditLog });
  const serving = { access, rawBodies: new RawBodies(MAX_HELD_BYTES), release: options.release, log };
  const routes = adminRoutes({ backend, connection, auditLog, catalog: registry.catalog, log });

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');
  app.enable('strict routing');
  app.set('query parser', false);
  for (const route of routes) {
    const method = route.method === 'GET' ? 'get' : 'post';
    app[method](ADMIN_BASE + route.path, (request, response) => serve(route, request, response, serving));
  }
  refuseTheRest(app, routes, log);
  return (request, response) => {
    if (isAbandoned(response)) return void request.resume();
    // Whoever asks for another protocol is answered in this one, and does not keep the connection for it.
    if (draining() || request.headers.upgrade !== undefined) closeAfter(response);
    try {
      gate(request);
    } catch (error) {
      sendProblem(response, error);
      return;
    }
    app(request, response);
  };
}

/** The path of a route as it is written in documents: `/admin/v1/jobs/{id}`. */
export function pathOf({ path }: AdminRoute): string {
  return ADMIN_BASE + path.replaceAll(/:(\w+)/g, '{$1}');
}

interface Serving extends Pick<AdminAppOptions, 'release' | 'log'> {
  readonly access: AdminAccess;
  readonly rawBodies: RawBodies;
}

function serve(
  route: AdminRoute,
  request: Request,
  response: Response,
  { access, rawBodies, release, log }: Serving,
): Promise<void> {
  const path = pathOf(route);
  const settings = {
    kind: SpanKind.SERVER,
    parent: extractTraceContext(request.headers as TraceCarrier),
    attributes: { [ATTR.httpRequestMethod]: request.method, [ATTR.httpRoute]: path },
  };
  return inSpan(`${route.method} ${path}`, settings, async (span) => {
    try {
      const written = { requestId: requestId(), release };
      const { authorization } = request.headers;
      const entry = { authorization, scope: route.scope, route: `${route.method} ${path}`, request: written };
      const by = await access.enter(entry);
      const answer = await route.answer({
        by,
        has: (scope) => access.has(by, scope),
        param: (name) => String(request.params[name]),
        query: new AdminQuery(request.url),
        body: async (schema) => {
          const rawBody = await rawBodies.read(response, MAX_BODY_BYTES);
          rawBodies.release(rawBody);
          return readJsonBody(rawBody, schema);
        },
        note: (why) => ({ ...written, by, why }),
      });
      sendJson(response, 200, answer);
    } catch (error) {
      if (!(error instanceof CoordinatorError)) log.error({ err: error }, 'a route failed');
      sendProblem(response, error);
    }
    span.setAttribute(ATTR.httpResponseStatusCode, response.statusCode);
    if (response.statusCode >= 500) markFailed(span, { code: response.statusCode });
  });
}

function refuseTheRest(app: Express, routes: readonly AdminRoute[], log: Logger): void {
  for (const path of new Set(routes.map((route) => route.path))) {
    const taken = routes.filter((route) => route.path === path).map(({ method }) => method);
    const allow = taken.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ');
    app.all(ADMIN_BASE + path, (_request, response) => {
      response.setHeader('allow', allow);
      sendProblem(response, new CoordinatorError('COORD_METHOD_NOT_ALLOWED', `This resource takes ${allow} only`));
    });
  }
  app.use((_request, response) => sendProblem(response, new CoordinatorError('COORD_NOT_FOUND')));

  const answerError: ErrorRequestHandler = (error, _request, response, _next) => {
    if (error instanceof URIError) return sendProblem(response, new CoordinatorError('COORD_PATH_INVALID'));
    log.error({ err: error as unknown }, 'a route failed');
    sendProblem(response, error);
  };
  app.use(answerError);
}
