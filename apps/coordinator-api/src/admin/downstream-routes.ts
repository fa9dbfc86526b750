import { readDownstreams } from '@coordinator/extension';
import { isoTime } from '../iso-time.ts';
import type { AdminParts } from './admin-routes.ts';
import type { AdminRoute } from './admin-route.ts';

/** `GET /admin/v1/downstreams`: how the services stand that jobs call. */
export function downstreamRoutes({ connection, backend }: Pick<AdminParts, 'connection' | 'backend'>): AdminRoute[] {
  return [
    {
      method: 'GET',
      path: '/downstreams',
      scope: 'read',
      async answer({ query }) {
        query.only();
        const readings = await readDownstreams(connection, backend.keyPrefix);
        const items = readings.map(({ openUntilMs, pausedUntilMs, nextCallAtMs, sentAwayUntilMs, ...reading }) => ({
          ...reading,
          openUntil: isoTime(openUntilMs),
          pausedUntil: isoTime(pausedUntilMs),
          nextCallAt: isoTime(nextCallAtMs),
          sentAwayUntil: Object.fromEntries(
            Object.entries(sentAwayUntilMs).map(([reason, untilMs]) => [reason, isoTime(untilMs)]),
          ),
        }));
        return { items, cursor: null };
      },
    },
  ];
}
