import { noteArguments, type AuditNote } from '../audit-note.ts';
import { pairs } from './pairs.ts';
import { DEFAULT_KEY_PREFIX } from './redis-backend.ts';
import type { RedisConnection } from './redis-connection.ts';
import { scripts } from './scripts.ts';

/** What the audit log tells of, besides the changes that scripts make: cancel, replay and erase. */
export type NotedAction = 'view-payload' | 'refuse';

/** One record of the audit log. */
export interface AuditRecord extends AuditNote {
  /** Where it stands in the log: milliseconds by the clock of Redis, and a count within them. */
  readonly id: string;
  readonly atMs: number;
  /** `cancel`, `replay`, `erase`, `view-payload`, `refuse`, or one of another release. */
  readonly action: string;
  /** `job:<id>`, `subject:<subject>`, or the route that was refused. */
  readonly object: string;
  /** State before and after, or how much was done; empty where nothing was changed. */
  readonly before: string;
  readonly after: string;
}

/** Some records, newest first. */
export interface AuditPage {
  readonly items: readonly AuditRecord[];
  /** Id of the last one, for the page after it; undefined on the page with the oldest. */
  readonly next: string | undefined;
}

/** What people did by hand: the stream `{cc}:audit-log`, to which is only added. */
export class AuditLog {
  readonly #connection: RedisConnection;
  readonly #root: string;

  constructor(connection: RedisConnection, keyPrefix = DEFAULT_KEY_PREFIX) {
    this.#connection = connection;
    this.#root = `${keyPrefix}:`;
  }

  /** Adds what changes no job. Resolves when Redis has it. @throws CoordinatorError COORD_QUEUE_UNAVAILABLE */
  async add(action: NotedAction, object: string, note: AuditNote): Promise<void> {
    await this.#connection.run(scripts.note, this.#root, [action, object, ...noteArguments(note)]);
  }

  /** A page of it, the newest unless records before the one with an id are asked for. */
  async read({ before, limit }: { readonly before?: string | undefined; readonly limit: number }): Promise<AuditPage> {
    const from = before === undefined ? '+' : `(${before}`;
    const range = [`${this.#root}audit-log`, from, '-', 'COUNT', String(limit + 1)];
    const found = (await this.#connection.command('XREVRANGE', ...range)) as [id: string, fields: string[]][];
    const items = found.slice(0, limit).map(([id, fields]) => readRecord(id, new Map(pairs(fields))));
    return { items, next: found.length > limit ? items.at(-1)?.id : undefined };
  }
}

function readRecord(id: string, fields: ReadonlyMap<string, string>): AuditRecord {
  const of = (name: string) => fields.get(name) ?? '';
  return {
    ...{ id, atMs: Number(id.split('-')[0]), by: of('by'), action: of('action'), object: of('object'), why: of('why') },
    ...{ before: of('before'), after: of('after'), requestId: of('requestId'), release: of('release') },
  };
}
