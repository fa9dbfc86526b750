import { isoTime } from '../iso-time.ts';
import { cursorOf, cursorOfAnother } from './admin-query.ts';
import type { AdminParts } from './admin-routes.ts';
import type { AdminRoute } from './admin-route.ts';

const RECORD_ID = /^\d{1,15}-\d{1,15}$/;

/** `GET /admin/v1/audit-log`: who has done what, the newest first. */
export function auditRoutes({ auditLog }: Pick<AdminParts, 'auditLog'>): AdminRoute[] {
  return [
    {
      method: 'GET',
      path: '/audit-log',
      scope: 'read',
      async answer({ query }) {
        const [before, ...others] = query.only('cursor', 'limit').cursor() ?? [];
        if (others.length > 0 || (before !== undefined && !RECORD_ID.test(before))) throw cursorOfAnother();
        const { items, next } = await auditLog.read({ before, limit: query.limit() });
        const shown = items.map(({ atMs, ...record }) => ({ at: isoTime(atMs), ...record }));
        return { items: shown, cursor: cursorOf(next === undefined ? undefined : [next]) };
      },
    },
  ];
}
