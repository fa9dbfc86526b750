import type { AdminScope, AdminToken } from '@coordinator/config';
import type { Logger } from '@coordinator/logging';
import { CoordinatorError, type AuditLog, type AuditNote } from '@coordinator/tasks';
import { bearerCheck, type BearerCheck } from '../bearer.ts';
import { RateLimit } from '../rate-limit.ts';

/** Who may call the admin API. */
export interface AdminAccessOptions {
  readonly tokens: ReadonlyMap<string, AdminToken>;
  /** That of the callers of `/v1`: they are known, and refused. */
  readonly checkCaller: BearerCheck;
  readonly auditLog: AuditLog;
  readonly log: Logger;
}

/** What is asked of a caller. */
export interface Entry {
  readonly authorization: string | undefined;
  readonly scope: AdminScope;
  /** The route, for the audit log: `POST /admin/v1/jobs/{id}/cancel`. */
  readonly route: string;
  readonly request: Pick<AuditNote, 'requestId' | 'release'>;
}

/** Refusals of one token that are written down each; further ones are only counted, or they would fill Redis. */
const REFUSALS = { perSecond: 1, burst: 30 };

/** Lets those in who have the scope of a route. */
export class AdminAccess {
  readonly #scopes: ReadonlyMap<string, ReadonlySet<AdminScope>>;
  readonly #checkAdmin: BearerCheck;
  readonly #checkCaller: BearerCheck;
  readonly #auditLog: AuditLog;
  readonly #log: Logger;
  readonly #refusals = new RateLimit(REFUSALS);
  /** Refusals that were not written down, by token. Tokens are those of the configuration, so it does not grow. */
  readonly #unwritten = new Map<string, number>();

  constructor({ tokens, checkCaller, auditLog, log }: AdminAccessOptions) {
    this.#log = log;
    this.#scopes = new Map(Array.from(tokens, ([name, { scopes }]) => [name, scopes]));
    this.#checkAdmin = bearerCheck(Array.from(tokens, ([name, { secret }]) => [name, secret] as const));
    this.#checkCaller = checkCaller;
    this.#auditLog = auditLog;
  }

  /**
   * Finds the name of the token that may go on.
   *
   * @throws CoordinatorError COORD_UNAUTHORIZED; COORD_FORBIDDEN, once the audit log has it; COORD_QUEUE_UNAVAILABLE
   *   where it cannot be written
   */
  async enter(entry: Entry): Promise<string> {
    const name = await this.#nameOf(entry.authorization);
    if (name === undefined) {
      const caller = await this.#callerOf(entry.authorization);
      return this.#refuse(entry, `${caller} (a caller of the API)`, 'a token of a caller opens nothing here');
    }
    if (this.has(name, entry.scope)) return name;
    return this.#refuse(entry, name, `this token lacks the scope ${entry.scope}`);
  }

  /** Whether a token has a scope. */
  has(name: string, scope: AdminScope): boolean {
    return this.#scopes.get(name)?.has(scope) === true;
  }

  async #nameOf(authorization: string | undefined): Promise<string | undefined> {
    try {
      return await this.#checkAdmin(authorization);
    } catch {
      return undefined;
    }
  }

  /** A JWT without the scope of callers is known and has no name. */
  async #callerOf(authorization: string | undefined): Promise<string> {
    try {
      return await this.#checkCaller(authorization);
    } catch (error) {
      if (error instanceof CoordinatorError && error.code === 'COORD_FORBIDDEN') return 'somebody';
      throw error;
    }
  }

  async #refuse({ route, request }: Entry, by: string, why: string): Promise<never> {
    if (this.#mayWrite(by)) {
      const unwritten = this.#unwritten.get(by) ?? 0;
      const more = unwritten > 0 ? `; ${unwritten} more refusals before were not written down` : '';
      await this.#auditLog.add('refuse', route, { ...request, by, why: why + more });
      this.#unwritten.delete(by);
      this.#log.warn({ by, route, reason: why }, 'refused an admin request');
    } else {
      this.#unwritten.set(by, (this.#unwritten.get(by) ?? 0) + 1);
    }
    throw new CoordinatorError('COORD_FORBIDDEN', `${why[0]?.toUpperCase()}${why.slice(1)}`);
  }

  #mayWrite(by: string): boolean {
    try {
      this.#refusals.take(by);
      return true;
    } catch {
      return false;
    }
  }
}
