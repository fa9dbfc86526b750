import type { AdminScope } from '@coordinator/config';
import type { AuditNote } from '@coordinator/tasks';
import { z } from 'zod';
import type { AdminQuery } from './admin-query.ts';

/** A route of the admin API. Each asks for one scope: a route without one does not compile. */
export interface AdminRoute {
  readonly method: 'GET' | 'POST';
  /** Below `/admin/v1`, as Express takes it: `/jobs/:id/cancel`. */
  readonly path: string;
  readonly scope: AdminScope;
  /** What is answered, as JSON. @throws CoordinatorError */
  answer(request: AdminRequest): Promise<unknown>;
}

/** A request whose token has the scope of the route. */
export interface AdminRequest {
  /** Name of the token. */
  readonly by: string;
  /** Whether that token has a further scope. */
  has(scope: AdminScope): boolean;
  /** A part of the path, decoded. */
  param(name: string): string;
  readonly query: AdminQuery;
  /** Reads and checks the body. @throws CoordinatorError COORD_CONTENT_TYPE, COORD_BODY_* */
  body<Body>(schema: z.ZodType<Body>): Promise<Body>;
  /** For the audit log. */
  note(why: string): AuditNote;
}

/** Why something is done, as it stands in the body of every change. */
export const why = z.string().trim().min(1).max(500);
