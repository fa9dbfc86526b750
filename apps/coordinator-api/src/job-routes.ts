import { CoordinatorError, type QueueBackend, type TaskCatalog } from '@coordinator/tasks';
import type { Express, Response } from 'express';
import type { BearerCheck } from './bearer.ts';
import { mayRead } from './job-access.ts';
import { jobView } from './job-view.ts';
import type { Overload } from './overload.ts';
import { sendJson } from './problem.ts';
import { readTimelineQuery } from './timeline-query.ts';
import { readTimeline, type Timeline } from './timeline.ts';

/** What the read routes need. */
export interface JobRoutesOptions {
  readonly backend: QueueBackend;
  readonly catalog: TaskCatalog;
  readonly checkBearer: BearerCheck;
  readonly overload: Overload;
}

const MAX_ID = 255;
const NOTHING: Timeline = { items: [], cursor: null };

const callerOf = (response: Response) => response.locals.caller as string;

/** Mounts `GET /v1/jobs/{id}` and `GET /v1/subjects/{subject}/jobs`: what happened to this? */
export function mountJobRoutes(app: Express, { backend, catalog, checkBearer, overload }: JobRoutesOptions): void {
  // All that is mounted below /v1 from here on has a caller: no route can forget to ask.
  app.use('/v1', async (request, response, next) => {
    response.locals.caller = await checkBearer(request.headers.authorization);
    next();
  });

  app.get('/v1/jobs/:id', async (request, response) => {
    const caller = callerOf(response);
    const { id } = request.params;
    const job = id.length > MAX_ID ? undefined : await overload.during(() => backend.job(id));
    // To others a job does not exist: the answer must not tell them that it does.
    if (!job || !mayRead(caller, job))
      throw new CoordinatorError('COORD_NOT_FOUND', 'There is no job with this id, or its record has expired');
    sendJson(response, 200, jobView(job, catalog));
  });

  app.get('/v1/subjects/:subject/jobs', async (request, response) => {
    const caller = callerOf(response);
    const query = readTimelineQuery(request.url);
    const { subject } = request.params;
    const found =
      subject.length > MAX_ID ? NOTHING : await overload.during(() => readTimeline(backend, caller, subject, query));
    sendJson(response, 200, { items: found.items.map((job) => jobView(job, catalog)), cursor: found.cursor });
  });
}
