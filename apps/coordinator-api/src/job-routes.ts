import { CoordinatorError, type QueueBackend, type TaskCatalog } from '@coordinator/tasks';
import type { Express } from 'express';
import type { BearerCheck } from './bearer.ts';
import { jobView } from './job-view.ts';
import { sendJson } from './problem.ts';

/** What the read routes need. */
export interface JobRoutesOptions {
  readonly backend: QueueBackend;
  readonly catalog: TaskCatalog;
  readonly checkBearer: BearerCheck;
}

const MAX_ID = 255;

/** Mounts `GET /v1/jobs/{id}` and `GET /v1/subjects/{subject}/jobs`: what happened to this? */
export function mountJobRoutes(app: Express, { backend, catalog, checkBearer }: JobRoutesOptions): void {
  app.get('/v1/jobs/:id', async (request, response) => {
    checkBearer(request.headers.authorization);
    const { id } = request.params;
    const job = id.length > MAX_ID ? undefined : await backend.job(id);
    if (!job) throw new CoordinatorError('COORD_NOT_FOUND', 'There is no job with this id, or its record has expired');
    sendJson(response, 200, jobView(job, catalog));
  });

  app.get('/v1/subjects/:subject/jobs', async (request, response) => {
    checkBearer(request.headers.authorization);
    const { subject } = request.params;
    const jobs = subject.length > MAX_ID ? [] : await backend.jobsOf(subject);
    // One page: a subject has few jobs. The cursor is there so that callers are ready for more.
    sendJson(response, 200, { items: jobs.map((job) => jobView(job, catalog)), cursor: null });
  });
}
