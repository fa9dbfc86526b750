import { CoordinatorError, taskNamedIn, type DeadLetter, type ReplayResult } from '@coordinator/tasks';
import { z } from 'zod';
import { isoTime } from '../iso-time.ts';
import { cursorOf, cursorOfAnother, readCursor } from './admin-query.ts';
import type { AdminParts } from './admin-routes.ts';
import { why, type AdminRequest, type AdminRoute } from './admin-route.ts';
import { findDeadLetters, placeParts, readPlace } from './dead-letter-query.ts';
import { isPlainText } from './plain-text.ts';

/** Dead letters that one request replays, at most. */
const MOST_REPLAYED = 100;

const text = z.string().min(1).max(255);
const one = z.strictObject({ why });
const filtered = z.strictObject({
  why,
  queue: text,
  task: text.optional(),
  outcome: text.optional(),
  code: text.optional(),
  limit: z.int().min(1).max(MOST_REPLAYED).default(MOST_REPLAYED),
  cursor: z.string().max(700).optional(),
  dryRun: z.boolean().default(false),
});

/** `/admin/v1/dead-letters`: lists them, and begins them anew. */
export function deadLetterRoutes({ backend, catalog, log }: AdminParts): AdminRoute[] {
  return [
    {
      method: 'GET',
      path: '/dead-letters',
      scope: 'read',
      async answer({ query }) {
        query.only('queue', 'task', 'outcome', 'code', 'cursor', 'limit');
        const queue = query.text('queue');
        const filter = { task: query.text('task'), outcome: query.text('outcome'), code: query.text('code') };
        const cursor = query.cursor();
        const { items, next } = await findDeadLetters(backend, filter, {
          queues: queue === undefined ? catalog.queues() : [queue],
          after: cursor && readPlace(cursor),
          limit: query.limit(),
        });
        return { items: items.map(view), cursor: cursorOf(next && placeParts(next)) };
      },
    },
    {
      method: 'POST',
      path: '/dead-letters/replay',
      scope: 'operate',
      async answer(request) {
        request.query.only();
        const { queue, limit, cursor, dryRun, why, ...filter } = await request.body(filtered);
        const queues = [queue];
        const { untilMs, after } = await beginning(queues, cursor);
        if (untilMs === undefined) return { items: [], cursor: null };
        const found = await findDeadLetters(backend, filter, { queues, first: 'oldest', after, untilMs, limit });
        const items = [];
        for (const { jobId, task, finishedAtMs } of found.items) {
          const result = dryRun ? undefined : await replay(jobId, task, request, why, finishedAtMs);
          items.push({ jobId, task: task ?? null, ...replayView(result) });
        }
        return { items, cursor: cursorOf(found.next && [untilMs, ...placeParts(found.next)]) };
      },
    },
    {
      method: 'POST',
      path: '/dead-letters/:id/replay',
      scope: 'operate',
      async answer(request) {
        request.query.only();
        const jobId = request.param('id');
        const { why } = await request.body(one);
        const known = isPlainText(jobId) ? await backend.jobDetails(jobId) : undefined;
        const result = known && (await replay(jobId, taskNamedIn(known.envelope), request, why));
        if (!result)
          throw new CoordinatorError('COORD_NOT_FOUND', 'There is no job with this id, or its record has expired');
        return { jobId, ...replayView(result) };
      },
    },
  ];

  async function replay(
    jobId: string,
    task: string | undefined,
    { by, note }: AdminRequest,
    why: string,
    finishedAtMs?: number,
  ): Promise<ReplayResult | undefined> {
    const result = await backend.replay(jobId, note(why), finishedAtMs);
    if (result && result.before !== result.after) log.warn({ jobId, task, by, why }, 'replayed a dead letter');
    return result;
  }

  /**
   * Those that die again meanwhile are newer than the newest one of when the first request came: they are left alone, or a
   * job that fails at once would be begun anew for ever.
   */
  async function beginning(queues: readonly string[], cursor: string | undefined) {
    if (cursor !== undefined) {
      const [until = '', ...place] = readCursor(cursor);
      if (!/^\d{1,15}$/.test(until)) throw cursorOfAnother();
      return { untilMs: Number(until), after: readPlace(place) };
    }
    const { items, next } = await backend.deadLetters({ queues, limit: 1 });
    return { untilMs: items[0]?.finishedAtMs ?? next?.finishedAtMs, after: undefined };
  }
}

function view({ jobId, task, queue, createdAtMs, finishedAtMs, attempt, outcome, error }: DeadLetter) {
  return {
    ...{ jobId, task: task ?? null, queue, acceptedAt: isoTime(createdAtMs), finishedAt: isoTime(finishedAtMs) },
    ...{ attempts: attempt, outcome: outcome ?? null, error: error ?? null },
  };
}

/** What became of a dead letter; nulls where nothing was tried. */
function replayView(result: ReplayResult | undefined) {
  return { before: result?.before ?? null, after: result?.after ?? null, refused: result?.refused ?? null };
}
