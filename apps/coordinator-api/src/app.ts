import type { Secret } from '@coordinator/config';
import type { Registry } from '@coordinator/extension';
import type { Logger } from '@coordinator/logging';
import { CoordinatorError, TaskQueue, type RedisBackend } from '@coordinator/tasks';
import express, { type ErrorRequestHandler, type Express } from 'express';
import { mountAcceptRoutes } from './accept-routes.ts';
import { bearerCheck } from './bearer.ts';
import { mountJobRoutes } from './job-routes.ts';
import { sendProblem } from './problem.ts';
import { mountProbes } from './probe-routes.ts';

/** What the API is made of. */
export interface AppOptions {
  readonly registry: Registry;
  /** The environment of all extensions, see readConfig. */
  readonly config: unknown;
  readonly backend: RedisBackend;
  readonly tokens: ReadonlyMap<string, Secret>;
  readonly release: string;
  readonly log: Logger;
  /** True once the process is shutting down. */
  readonly draining: () => boolean;
}

/** Builds the API: the routes of the extensions, the job routes and the probes. Listens to nothing yet. */
export function createApp(options: AppOptions): Express {
  const { registry, backend, release, log, draining } = options;
  const { catalog, routeEvent } = registry;
  const checkBearer = bearerCheck(options.tokens);
  const queue = new TaskQueue({ backend, catalog, routeEvent, release });

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  // No route reads a query.
  app.set('query parser', false);

  mountAcceptRoutes(app, { registry, config: options.config, queue, checkBearer, log, draining });
  mountJobRoutes(app, { backend, catalog, checkBearer });
  mountProbes(app, { release, draining, assertWritable: () => backend.assertWritable() });
  refuseTheRest(app, registry, options.config, log);
  return app;
}

function refuseTheRest(app: Express, registry: Registry, config: unknown, log: Logger): void {
  const refuseMethod = (path: string, allow: string) =>
    app.all(path, (_request, response) => {
      response.setHeader('allow', allow);
      sendProblem(response, new CoordinatorError('COORD_METHOD_NOT_ALLOWED', `This resource takes ${allow} only`));
    });
  for (const { route } of registry.routes(config)) refuseMethod(route.path, 'POST');
  for (const path of ['/v1/jobs/:id', '/v1/subjects/:subject/jobs', '/livez', '/readyz', '/version']) {
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
