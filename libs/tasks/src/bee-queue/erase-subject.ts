import { noteArguments, type AuditNote } from '../audit-note.ts';
import type { JobState } from '../job.ts';
import { defaultRetention, type Retention } from '../retention.ts';
import { DEFAULT_KEY_PREFIX } from './redis-backend.ts';
import type { RedisConnection } from './redis-connection.ts';
import { scripts } from './scripts.ts';

/** What is to be erased, and by whom. */
export interface ErasureRequest {
  /** As it was given at acceptance, such as `order:D-1001`. */
  readonly subject: string;
  /** For the audit log; it names the subject unless that is forgotten. */
  readonly note: AuditNote;
  /** Whether the subject itself is personal data, and goes too. Default false: its timeline stays, without content. */
  readonly forgetSubject?: boolean;
  /** Whether to look only. Default false. */
  readonly dryRun?: boolean;
}

/** Settings of {@link eraseSubject}. */
export interface ErasureOptions {
  /** Default {@link DEFAULT_KEY_PREFIX}. */
  readonly keyPrefix?: string;
  /** How long the records of jobs stay that are cancelled. Default {@link defaultRetention}. */
  readonly retention?: Retention;
}

/**
 * What is done about a job:
 * - `erased`: it has ended; its content is gone.
 * - `cancelled`: it had not started; it is cancelled, and its content is gone.
 * - `at-end`: it is running; its content goes when the attempt ends, and it does not run again.
 * - `done-before`: there was nothing left.
 * - `expired`: its record has gone by itself.
 */
export type ErasureAction = 'erased' | 'cancelled' | 'at-end' | 'done-before' | 'expired';

/** A job about an erased subject. */
export interface Erasure {
  readonly jobId: string;
  /** Empty when the record is gone or damaged. */
  readonly task: string;
  /** In which it was found; undefined when the record is gone. */
  readonly state: JobState | undefined;
  readonly action: ErasureAction;
}

const FIELDS = 4;
/** How many jobs one script goes through: Redis does nothing else meanwhile, and looks through a whole queue for each. */
const AT_ONCE = 50;

/**
 * Erases what is stored about a subject: payloads, step results, error messages, fingerprints. Each job is erased whole or
 * not at all; doing it again does no harm, and goes on where it was interrupted.
 *
 * @throws CoordinatorError COORD_QUEUE_UNAVAILABLE
 */
export async function eraseSubject(
  connection: RedisConnection,
  { subject, note, forgetSubject = false, dryRun = false }: ErasureRequest,
  { keyPrefix = DEFAULT_KEY_PREFIX, retention = defaultRetention }: ErasureOptions = {},
): Promise<Erasure[]> {
  const how = [forgetSubject ? 'forget' : 'keep', dryRun ? '1' : '0'];
  const found: Erasure[] = [];
  for (;;) {
    // What is forgotten leaves the timeline, and the rest of it moves up.
    const after = forgetSubject && !dryRun ? '' : (found.at(-1)?.jobId ?? '');
    const place = [after, String(AT_ONCE)];
    const args = [subject, ...how, String(retention.completedMs), ...place, ...noteArguments(note)];
    const batch = readErasures((await connection.run(scripts.erase, `${keyPrefix}:`, args)) as string[]);
    found.push(...batch);
    if (batch.length < AT_ONCE) return found;
  }
}

function readErasures(values: readonly string[]): Erasure[] {
  return Array.from({ length: values.length / FIELDS }, (_, i) => {
    const [jobId, task, state, action] = values.slice(i * FIELDS, (i + 1) * FIELDS) as [
      string,
      string,
      string,
      ErasureAction,
    ];
    return { jobId, task, state: state === '' ? undefined : (state as JobState), action };
  });
}
