import type { AdminParts } from './admin-routes.ts';
import type { AdminRoute } from './admin-route.ts';

/** `GET /admin/v1/queues`: how many jobs are in which state, and how long the oldest has been due. */
export function queueRoutes({ backend, catalog }: Pick<AdminParts, 'backend' | 'catalog'>): AdminRoute[] {
  return [
    {
      method: 'GET',
      path: '/queues',
      scope: 'read',
      async answer({ query }) {
        const one = query.only('queue').text('queue');
        const queues = one === undefined ? catalog.queues() : [one];
        return { items: await Promise.all(queues.map(view)), cursor: null };
      },
    },
  ];

  async function view(queue: string) {
    const [books, { oldestAgeMs }] = await Promise.all([backend.books(queue), backend.readQueue(queue)]);
    const { accepted, missing, waiting, scheduled, running, blocked, parked, completed, dead, cancelled } = books;
    const states = { waiting, scheduled, running, blocked, parked, completed, dead, cancelled };
    return { queue, depth: waiting, oldestAgeMs, accepted, states, missing };
  }
}
