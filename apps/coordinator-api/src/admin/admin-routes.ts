import type { Logger } from '@coordinator/logging';
import type { AuditLog, RedisBackend, RedisConnection, TaskCatalog } from '@coordinator/tasks';
import type { AdminRoute } from './admin-route.ts';
import { auditRoutes } from './audit-routes.ts';
import { deadLetterRoutes } from './dead-letter-routes.ts';
import { downstreamRoutes } from './downstream-routes.ts';
import { jobRoutes } from './job-routes.ts';
import { queueRoutes } from './queue-routes.ts';
import { subjectRoutes } from './subject-routes.ts';

/** What the routes work on. */
export interface AdminParts {
  readonly backend: RedisBackend;
  readonly connection: RedisConnection;
  readonly auditLog: AuditLog;
  readonly catalog: TaskCatalog;
  readonly log: Logger;
}

/** Every route of the admin API; docs/reference/admin-api.md lists the same ones. */
export function adminRoutes(parts: AdminParts): readonly AdminRoute[] {
  return [
    ...queueRoutes(parts),
    ...jobRoutes(parts),
    // Before those with an id in the place of `replay`.
    ...deadLetterRoutes(parts),
    ...subjectRoutes(parts),
    ...downstreamRoutes(parts),
    ...auditRoutes(parts),
  ];
}
