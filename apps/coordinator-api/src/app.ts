import type { NamedTokens } from '@coordinator/config';
import type { Registry } from '@coordinator/extension';
import type { Logger } from '@coordinator/logging';
import { CoordinatorError, TaskQueue, type RedisBackend } from '@coordinator/tasks';
import express, { type ErrorRequestHandler, type Express } from 'express';
import type { RequestListener } from 'node:http';
import { acceptRoutes } from './accept-routes.ts';
import { bearerCheck, type BearerCheck } from './bearer.ts';
import type { JwtCheck } from './jwt.ts';
import { mountJobRoutes } from './job-routes.ts';
import { Overload, type OverloadLimits } from './overload.ts';
import { sendProblem } from './problem.ts';
import { mountProbes } from './probe-routes.ts';
import { RateLimit, type Rate } from './rate-limit.ts';
import { RawBodies } from './raw-body.ts';
import { PROBE_PATHS, requestGate } from './request-gate.ts';
import { sharedCheck } from './writable-check.ts';

/** What the API is made of. */
export interface AppOptions {
  readonly registry: Registry;
  /** The environment of all extensions, see readConfig. */
  readonly config: unknown;
  readonly backend: RedisBackend;
  readonly tokens: NamedTokens;
  /** Default: no JWT is taken. */
  readonly jwt?: JwtCheck | undefined;
  readonly release: string;
  readonly log: Logger;
  /** True once the process has begun its work, and from then on. */
  readonly started: () => boolean;
  /** True once the process is shutting down. */
  readonly draining: () => boolean;
  /** Names that the Host header may hold. Default: any well-formed one. */
  readonly hosts?: readonly string[];
  /** What each caller may send. Default: no limit. */
  readonly rate?: Rate | undefined;
  readonly overload?: OverloadLimits;
}

/**
 * Builds the API: the routes of the extensions, the job routes and the probes. Listens to nothing yet.
 *
 * Requests to be accepted are many and their paths are fixed: they are looked up and answered without Express, which
 * halves their cost (docs/benchmarks.md). Express serves the rest.
 */
export function createApp(options: AppOptions): RequestListener {
  const { registry, backend, release, log, started, draining } = options;
  const { catalog, routeEvent } = registry;
  const checkBearer = limited(bearerCheck(options.tokens, options.jwt), options.rate);
  const gate = requestGate(options.hosts ?? []);
  const overload = new Overload(options.overload);
  const queue = new TaskQueue({ backend, catalog, routeEvent, release });

  const rawBodies = new RawBodies(options.overload?.maxHeldBytes);
  const accept = acceptRoutes({ registry, config: options.config, queue, checkBearer, overload, rawBodies, log });
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');
  app.enable('strict routing');
  // The one route that reads a query does so itself, strictly.
  app.set('query parser', false);

  mountJobRoutes(app, { backend, catalog, checkBearer, overload });
  mountProbes(app, { release, started, draining, assertWritable: sharedCheck(() => backend.assertWritable()) });
  refuseTheRest(app, [...accept.keys()], log);
  return (request, response) => {
    const path = pathOf(request.url ?? '');
    try {
      gate(request);
      if (!PROBE_PATHS.has(path)) overload.assertTimely();
    } catch (error) {
      sendProblem(response, error);
      return;
    }
    const route = request.method === 'POST' ? accept.get(path) : undefined;
    if (route) route(request, response).catch((error: unknown) => sendProblem(response, error));
    else app(request, response);
  };
}

/** A caller is counted when it is known, wherever it then goes. */
function limited(check: BearerCheck, rate: Rate | undefined): BearerCheck {
  if (!rate) return check;
  const limit = new RateLimit(rate);
  return async (authorization) => {
    const caller = await check(authorization);
    limit.take(caller);
    return caller;
  };
}

function pathOf(url: string): string {
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
}

function refuseTheRest(app: Express, acceptPaths: readonly string[], log: Logger): void {
  const refuseMethod = (path: string, allow: string) =>
    app.all(path, (_request, response) => {
      response.setHeader('allow', allow);
      sendProblem(response, new CoordinatorError('COORD_METHOD_NOT_ALLOWED', `This resource takes ${allow} only`));
    });
  for (const path of acceptPaths) refuseMethod(path, 'POST');
  for (const path of ['/v1/jobs/:id', '/v1/subjects/:subject/jobs', ...PROBE_PATHS]) {
    refuseMethod(path, 'GET, HEAD');
  }
  app.use((_request, response) => sendProblem(response, new CoordinatorError('COORD_NOT_FOUND')));

  const answerError: ErrorRequestHandler = (error, _request, response, _next) => {
    if (error instanceof URIError) return sendProblem(response, new CoordinatorError('COORD_PATH_INVALID'));
    if (!(error instanceof CoordinatorError)) log.error({ err: error as unknown }, 'a route failed');
    sendProblem(response, error);
  };
  app.use(answerError);
}
