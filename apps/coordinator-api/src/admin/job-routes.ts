import { CoordinatorError, INDEXED_STATES, type JobRecord, type JobState } from '@coordinator/tasks';
import { z } from 'zod';
import { jobView } from '../job-view.ts';
import { cursorOf, cursorOfAnother, invalid } from './admin-query.ts';
import type { AdminParts } from './admin-routes.ts';
import { why, type AdminRequest, type AdminRoute } from './admin-route.ts';
import { contentView, detailsView } from './details-view.ts';
import { isPlainText } from './plain-text.ts';

const STATES: readonly JobState[] = [...INDEXED_STATES, 'completed', 'cancelled'];
/** Places in an index that one request looks at, at most. */
const MOST_READ = 1_000;
const cancellation = z.strictObject({ why });

/** `/admin/v1/jobs`: finds jobs, shows all of one, and calls it off. */
export function jobRoutes({ backend, catalog, auditLog, log }: AdminParts): AdminRoute[] {
  return [
    {
      method: 'GET',
      path: '/jobs',
      scope: 'read',
      async answer({ query }) {
        query.only('subject', 'state', 'queue', 'task', 'cursor', 'limit');
        const [subject, queue, task] = ['subject', 'queue', 'task'].map((name) => query.text(name));
        const state = query.oneOf('state', STATES);
        const wanted = { queue, task, state, cursor: query.cursor(), limit: query.limit() };
        if (subject !== undefined) return listOfSubject(subject, wanted);
        const indexed = INDEXED_STATES.find((one) => one === state);
        if (indexed === undefined) {
          throw invalid(`a subject is needed, or a state among ${INDEXED_STATES.join(', ')}`);
        }
        return listInState({ ...wanted, state: indexed });
      },
    },
    {
      method: 'GET',
      path: '/jobs/:id',
      scope: 'read',
      async answer({ by, param, query, has, note }) {
        query.only('payload', 'why');
        const jobId = param('id');
        const shows = has('payload') && query.oneOf('payload', ['true', 'false']) !== 'false';
        const why = query.text('why') ?? '';
        const details = isPlainText(jobId) ? await backend.jobDetails(jobId) : undefined;
        if (!details) throw notFound();
        if (shows) {
          await auditLog.add('view-payload', `job:${jobId}`, note(why));
          log.info({ jobId, by, why }, 'showed a payload');
        }
        return { ...detailsView(details, catalog), ...(shows ? contentView(details) : {}) };
      },
    },
    {
      method: 'POST',
      path: '/jobs/:id/cancel',
      scope: 'operate',
      async answer({ by, param, query, body, note }: AdminRequest) {
        query.only();
        const jobId = param('id');
        const { why } = await body(cancellation);
        const result = isPlainText(jobId) ? await backend.cancel(jobId, note(why)) : undefined;
        if (!result) throw notFound();
        const { before, after } = result;
        if (after === 'running') log.warn({ jobId, by, why }, 'told a job to stop');
        else if (before !== after) log.warn({ jobId, by, why }, 'cancelled a job');
        return { jobId, before, after };
      },
    },
  ];

  async function listOfSubject(subject: string, { cursor, limit, ...filter }: Wanted) {
    if (cursor && cursor.length !== 1) throw cursorOfAnother();
    const { items, next } = await backend.jobsOf(subject, { before: cursor?.[0], limit });
    return { items: shown(items, filter), cursor: cursorOf(next === undefined ? undefined : [next]) };
  }

  /** Queue by queue, so that each page goes on where the one before has ended. */
  async function listInState({
    cursor,
    limit,
    ...filter
  }: Wanted & { readonly state: (typeof INDEXED_STATES)[number] }) {
    const queues = filter.queue === undefined ? [...catalog.queues()].sort() : [filter.queue];
    let [at, from] = cursor ? place(cursor, queues) : [0, 0];
    const items: JobRecord[] = [];
    let looked = 0;
    while (at < queues.length && items.length < limit && looked < MOST_READ) {
      const page = await backend.jobsIn({
        ...{ queue: queues[at] as string, state: filter.state, from },
        ...{ limit: limit - items.length, most: MOST_READ - looked, fits: (job) => fits(job, filter) },
      });
      items.push(...page.items);
      looked += (page.next ?? from) - from;
      [at, from] = page.next === undefined ? [at + 1, 0] : [at, page.next];
    }
    const queue = queues[at];
    return { items: shown(items, filter), cursor: cursorOf(queue === undefined ? undefined : [queue, from]) };
  }

  function shown(jobs: readonly JobRecord[], filter: Filter) {
    return jobs.filter((job) => fits(job, filter)).map((job) => jobView(job, catalog));
  }

  function fits(job: JobRecord, { state, task, queue }: Filter): boolean {
    const { task: itsTask, queue: itsQueue } = jobView(job, catalog);
    if (state !== undefined && job.state !== state) return false;
    if (task !== undefined && itsTask !== task) return false;
    return queue === undefined || itsQueue === null || itsQueue === queue;
  }
}

interface Filter {
  readonly state: JobState | undefined;
  readonly queue: string | undefined;
  readonly task: string | undefined;
}

interface Wanted extends Filter {
  readonly cursor: string[] | undefined;
  readonly limit: number;
}

function place([queue = '', from = '', ...others]: readonly string[], queues: readonly string[]): [number, number] {
  const at = queues.indexOf(queue);
  if (at === -1 || !/^\d{1,9}$/.test(from) || others.length > 0) throw cursorOfAnother();
  return [at, Number(from)];
}

function notFound(): CoordinatorError {
  return new CoordinatorError('COORD_NOT_FOUND', 'There is no job with this id, or its record has expired');
}
