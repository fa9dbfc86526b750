import type { RedisConnection, UnadmittedRedis } from './redis-connection.ts';

/** What speaks against keeping jobs on a Redis server. */
export interface RedisServerCheck {
  /** With these, jobs would be lost in normal operation: do not start. */
  readonly faults: readonly string[];
  /** With these, a promise is weaker than it should be, or could not be checked. */
  readonly warnings: readonly string[];
}

/** The weakest first. */
const PERSISTENCE = ['none', 'everysec', 'always'] as const;
/** How well a Redis keeps what it has accepted: not on disk, with the last second lost, or all of it. */
export type Persistence = (typeof PERSISTENCE)[number];

/**
 * Checks the settings of the server that accepted jobs rest on, as far as it tells them.
 *
 * @param declared with a server that keeps jobs less well than this it is a fault. Default `none`: only a warning
 * @throws CoordinatorError COORD_QUEUE_UNAVAILABLE
 */
export async function checkRedisServer(
  redis: Pick<UnadmittedRedis, 'command'> & Pick<RedisConnection, 'authenticated'>,
  declared: Persistence = 'none',
): Promise<RedisServerCheck> {
  const faults: string[] = [];
  const warnings: string[] = [];
  const version = (await readInfo(redis, 'server')).get('redis_version');
  // Scripts that may write into a full Redis exist since 7.0.
  if (version !== undefined && Number(version.split('.', 1)[0]) < 7) {
    faults.push(`Redis ${version} is too old: use 7.0 or newer`);
  }
  const settings = await readSettings(redis);
  const policy = settings.get('maxmemory-policy') ?? 'noeviction';
  if (policy !== 'noeviction') {
    faults.push(`Redis has maxmemory-policy ${policy}, which may delete accepted jobs: set it to noeviction`);
  }
  const persistence = persistenceOf(settings);
  if (persistence !== 'always') {
    const isWeaker = PERSISTENCE.indexOf(persistence) < PERSISTENCE.indexOf(declared);
    const words =
      'Redis does not write each job to disk before it is accepted: set appendonly yes and appendfsync always';
    if (isWeaker) faults.push(`${words}, or say with REDIS_PERSISTENCE=${persistence} that jobs may be lost`);
    else warnings.push(words);
  }
  if (settings.get('maxmemory') === '0') {
    warnings.push('Redis has no maxmemory: it takes jobs until its machine is full, and then dies; set it');
  }
  if (settings.get('protected-mode') === 'no' && !redis.authenticated) {
    warnings.push('Redis serves whoever reaches it: give it users with passwords, or set protected-mode yes');
  }
  const untold = Array.from(WANTED).filter(([name]) => !settings.has(name));
  if (untold.length > 0) {
    const wanted = untold.map(([name, value]) => `${name} is ${value}`).join(', ');
    warnings.push(`This Redis does not tell all of its settings, so not all was checked: see that ${wanted}`);
  }
  return { faults, warnings };
}

/** What is looked at, and what it should be. */
const WANTED = new Map([
  ['maxmemory-policy', 'noeviction'],
  ['maxmemory', 'set'],
  ['appendonly', 'yes'],
  ['appendfsync', 'always'],
]);

/** What INFO tells of them to those who may not ask for CONFIG: sections, fields, and how a field is to be read. */
const TOLD_BY_INFO = [
  ['memory', 'maxmemory', 'maxmemory', String],
  ['memory', 'maxmemory_policy', 'maxmemory-policy', String],
  ['persistence', 'aof_enabled', 'appendonly', (flag: string) => (flag === '1' ? 'yes' : 'no')],
] as const;

/** What was not told is taken for right. */
function persistenceOf(settings: ReadonlyMap<string, string>): Persistence {
  if (settings.get('appendonly') === 'no') return 'none';
  const fsync = settings.get('appendfsync') ?? 'always';
  return fsync === 'always' || fsync === 'everysec' ? fsync : 'none';
}

/** The settings by name, without those that the server does not tell. */
async function readSettings(redis: Pick<UnadmittedRedis, 'command'>): Promise<Map<string, string>> {
  const settings = new Map<string, string>();
  for (const name of [...WANTED.keys(), 'protected-mode']) {
    const reply = await unlessForbidden(() => redis.command('CONFIG', 'GET', name));
    const [, value] = (reply ?? []) as string[];
    if (value !== undefined) settings.set(name, value);
  }
  for (const [section, field, name, read] of TOLD_BY_INFO) {
    if (settings.has(name)) continue;
    const value = (await readInfo(redis, section)).get(field);
    if (value !== undefined) settings.set(name, read(value));
  }
  return settings;
}

/** The fields of a section of INFO; none where that is forbidden. */
async function readInfo(redis: Pick<UnadmittedRedis, 'command'>, section: string): Promise<Map<string, string>> {
  const info = (await unlessForbidden(() => redis.command('INFO', section))) as string | undefined;
  return new Map(
    Array.from((info ?? '').matchAll(/^(\w+):(.*?)\r?$/gm), ([, field = '', value = '']) => [field, value]),
  );
}

/** Managed services forbid CONFIG, and so do the users of deploy/redis/users.acl. */
async function unlessForbidden(ask: () => Promise<unknown>): Promise<unknown> {
  try {
    return await ask();
  } catch (error) {
    const reply = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    if (reply instanceof Error && /unknown command|NOPERM/i.test(reply.message)) return undefined;
    throw error;
  }
}
