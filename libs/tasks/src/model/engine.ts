import type { AuditReport } from '../audit/audit.ts';
import type { Erasure } from '../bee-queue/erase-subject.ts';
import type { RedisBackend } from '../bee-queue/redis-backend.ts';

/** The real thing: the scripts on a Redis of their own. */
export interface Engine {
  readonly backend: RedisBackend;
  /** What the keys begin with. */
  readonly root: string;
  command(...args: string[]): Promise<unknown>;
  audit(repair: boolean): Promise<AuditReport>;
  erase(subject: string): Promise<readonly Erasure[]>;
  restart(): Promise<void>;
}

/** The queues of the model. */
export const QUEUES = ['lms', 'mail'] as const;
/** What its jobs are about. */
export const SUBJECTS = ['order:1', 'order:2', 'order:3'] as const;
/** What its workers can read: all of it. */
export const READABLE = ['lms.enrol@1-1'] as const;
/** A lease, or a delay, that no run outlives. */
export const LONG_MS = 3_600_000;
export const CRASH_LIMIT = 3;

/** What bee-queue's BRPOPLPUSH does, without waiting. */
export async function pop({ command, root }: Engine, queue: string): Promise<string | undefined> {
  const [waiting, active] = [`${root}q:${queue}:waiting`, `${root}q:${queue}:active`];
  return ((await command('RPOPLPUSH', waiting, active)) as string | null) ?? undefined;
}
