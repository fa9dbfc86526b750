import type { RedisConnection } from '../bee-queue/redis-connection.ts';
import { DEFAULT_KEY_PREFIX } from '../bee-queue/redis-backend.ts';
import { CoordinatorError } from '../error-codes.ts';
import { failureOf } from '../outcome.ts';
import { defaultRetention, type Retention } from '../retention.ts';
import { Keyspace, pages } from './keyspace.ts';
import { damagedKeys, restoreMemberships } from './memberships.ts';
import { readBooks, type QueueBooks } from './queue-books.ts';
import { findIndexes, SUBJECT, survey, type Index, type Suspicion } from './survey.ts';

/** Settings of {@link audit}. */
export interface AuditOptions {
  /** Default {@link DEFAULT_KEY_PREFIX}. */
  readonly keyPrefix?: string;
  /** Whether to make the indexes fit the records. Default false: nothing is changed. */
  readonly repair?: boolean;
  /** How long the dead letter of a record stays that cannot be read. Default {@link defaultRetention}. */
  readonly retention?: Retention;
}

/** Something that is not as it should be. */
export interface AuditFault {
  /** A job id, or a key without the prefix. */
  readonly where: string;
  readonly what: string;
  readonly repaired: boolean;
}

/** What an audit has found. */
export interface AuditReport {
  readonly queues: readonly QueueBooks[];
  /** Those that were repaired, too. */
  readonly faults: readonly AuditFault[];
  /** Whether all books balance and no fault is left. */
  readonly balanced: boolean;
}

const UNREADABLE = JSON.stringify(failureOf(new CoordinatorError('COORD_ENVELOPE_UNREADABLE')));
/** A worker that runs a job whose lease was lost has this long to renew it. */
const REPAIRED_LEASE_MS = 30_000;
/** Of a system that moves, further looks clear most suspicions for less than a check of each. */
const FEW = 100;
const AT_ONCE = 16;
const MOST_ROUNDS = 5;

/**
 * Checks a live system: that the books of each queue balance, and that every job stands exactly where its record says.
 * What looks wrong is checked once more by one atomic script per job, so jobs that move are no faults. A repair takes the
 * record for the truth; it is atomic for each job, may be repeated, and deletes no record.
 *
 * @throws CoordinatorError COORD_QUEUE_UNAVAILABLE
 */
export async function audit(
  connection: RedisConnection,
  { keyPrefix = DEFAULT_KEY_PREFIX, repair = false, retention = defaultRetention }: AuditOptions = {},
): Promise<AuditReport> {
  const keys = new Keyspace(connection, keyPrefix);
  const indexes = await findIndexes(keys);
  const wrong = await keys.wrongTypes(indexes, repair);
  const keysDamaged = await damagedKeys(keys);
  const subjects = [...wrong.keys()].filter((place) => place.startsWith(SUBJECT));
  if (repair) await restoreMemberships(keys, keysDamaged, subjects, retention.completedMs);
  const sound = indexes.filter(({ place }) => !wrong.has(place));
  const how: JobCheck = { repair, deadMs: retention.deadMs };
  const jobFaults = repair ? await repairJobs(keys, sound, how) : await checkJobs(keys, sound, how);
  const books = queuesOf(indexes).map((queue) => readBooks(keys, queue, repair && wrong.has(`q:${queue}:counts`)));
  const queues = await Promise.all(books);
  const unreadable = keysDamaged.map((where) => ({
    where,
    what: 'does not tell which job holds it',
    repaired: repair,
  }));
  const indexFaults = indexes.flatMap((index) => typeFault(index, wrong, repair));
  const faults = [...indexFaults, ...unreadable, ...jobFaults, ...(await auditLogFault(keys, repair))];
  const balanced = queues.every(({ missing }) => missing === 0) && faults.every(({ repaired }) => repaired);
  return { queues, faults, balanced };
}

interface JobCheck {
  readonly repair: boolean;
  readonly deadMs: number;
}

function queuesOf(indexes: readonly Index[]): string[] {
  return [...new Set(indexes.flatMap(({ queue }) => (queue === undefined ? [] : [queue])))].sort();
}

function typeFault({ place, type }: Index, wrong: ReadonlyMap<string, string>, repaired: boolean): AuditFault[] {
  const is = wrong.get(place);
  return is === undefined ? [] : [{ where: place, what: `is a ${is} and should be a ${type}`, repaired }];
}

/** What people do is refused while it cannot be written down. Where Redis has users, none of ours may put the log aside. */
async function auditLogFault(keys: Keyspace, repair: boolean): Promise<AuditFault[]> {
  const log = { place: 'audit-log', type: 'stream' } as const;
  const is = (await keys.wrongTypes([log], false)).get(log.place);
  if (is === undefined) return [];
  const what = `is a ${is} and should be a ${log.type}`;
  if (!repair) return [{ where: log.place, what, repaired: false }];
  try {
    await keys.wrongTypes([log], true);
    return [{ where: log.place, what, repaired: true }];
  } catch {
    return [{ where: log.place, what: `${what}: an administrator of Redis has to rename it`, repaired: false }];
  }
}

/** Until nothing is found any more: what is not found again is repaired, and one repair may show the next fault. */
async function repairJobs(keys: Keyspace, indexes: readonly Index[], how: JobCheck): Promise<AuditFault[]> {
  const faults = new Map<string, AuditFault>();
  for (let round = 1; round <= MOST_ROUNDS; round += 1) {
    const found = await checkJobs(keys, round === 1 ? indexes : await findIndexes(keys), how);
    for (const [key, fault] of faults) faults.set(key, { ...fault, repaired: true });
    if (found.length === 0) break;
    for (const fault of found) faults.set(`${fault.where} ${fault.what}`, fault);
  }
  return [...faults.values()];
}

async function checkJobs(keys: Keyspace, indexes: readonly Index[], how: JobCheck): Promise<AuditFault[]> {
  let suspicions = await survey(keys, indexes);
  for (let before = Infinity; suspicions.length > FEW && suspicions.length < before / 2;) {
    before = suspicions.length;
    const ids = suspicions.map(({ jobId }) => jobId);
    suspicions = await survey(keys, indexes, ids);
  }
  // Those that may run first: a lane is made anew in the order of acceptance behind the one that runs. Redis does what
  // is sent at once in the order in which it was sent.
  const faults: AuditFault[] = [];
  for (const some of pages(suspicions.sort(byOrder), AT_ONCE)) {
    faults.push(...(await Promise.all(some.map((suspicion) => checkJob(keys, suspicion, how)))).flat());
  }
  return faults;
}

async function checkJob(
  keys: Keyspace,
  { jobId, seenIn }: Suspicion,
  { repair, deadMs }: JobCheck,
): Promise<AuditFault[]> {
  const how = [repair ? '1' : '0', String(REPAIRED_LEASE_MS), UNREADABLE, String(deadMs)];
  const faults = (await keys.run('auditJob', [jobId, ...how, ...seenIn])) as string[];
  return faults.map((what) => ({ where: jobId, what, repaired: false }));
}

function byOrder(a: Suspicion, b: Suspicion): number {
  return a.order < b.order ? -1 : a.order > b.order ? 1 : a.jobId < b.jobId ? -1 : 1;
}
