import { CoordinatorError, eraseSubject } from '@coordinator/tasks';
import { z } from 'zod';
import type { AdminParts } from './admin-routes.ts';
import { why, type AdminRoute } from './admin-route.ts';
import { isPlainText } from './plain-text.ts';

const erasure = z.strictObject({
  why,
  /** Whether the name of the subject is personal data and goes, too. */
  forgetSubject: z.boolean().default(false),
  /** Whether to tell only what would be done. */
  dryRun: z.boolean().default(false),
});

/** `POST /admin/v1/subjects/{subject}/erase`: what is stored about a person or a thing goes. */
export function subjectRoutes({ backend, connection, log }: AdminParts): AdminRoute[] {
  return [
    {
      method: 'POST',
      path: '/subjects/:subject/erase',
      scope: 'operate',
      async answer({ by, param, query, body, note }) {
        query.only();
        const subject = param('subject');
        const { why, ...how } = await body(erasure);
        if (!isPlainText(subject)) throw new CoordinatorError('COORD_NOT_FOUND', 'There is no such subject');
        const { keyPrefix, retention } = backend;
        const items = await eraseSubject(connection, { subject, note: note(why), ...how }, { keyPrefix, retention });
        const done = items.filter(({ action }) => action !== 'done-before' && action !== 'expired');
        if (!how.dryRun && done.length > 0) {
          log.warn({ ...(how.forgetSubject ? {} : { subject }), by, why, jobs: done.length }, 'erased a subject');
        }
        return { items: items.map((item) => ({ ...item, state: item.state ?? null })), cursor: null };
      },
    },
  ];
}
