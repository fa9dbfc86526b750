import type { RedisConnection } from './redis-connection.ts';

/** What speaks against keeping jobs on a Redis server. */
export interface RedisServerCheck {
  /** With these, jobs would be lost in normal operation: do not start. */
  readonly faults: readonly string[];
  /** With these, a promise is weaker than it should be, or could not be checked. */
  readonly warnings: readonly string[];
}

/** Checks the settings of the server that accepted jobs rest on. @throws CoordinatorError COORD_QUEUE_UNAVAILABLE */
export async function checkRedisServer(connection: RedisConnection): Promise<RedisServerCheck> {
  const version = await readVersion(connection);
  // Scripts that may write into a full Redis exist since 7.0.
  const tooOld = version !== undefined && Number(version.split('.', 1)[0]) < 7;
  const faults = tooOld ? [`Redis ${version} is too old: use 7.0 or newer`] : [];
  const settings = await readSettings(connection);
  if (!settings) {
    // Managed services forbid CONFIG.
    const warning = 'This Redis does not tell its settings: see to maxmemory-policy noeviction and appendfsync always';
    return { faults, warnings: [warning] };
  }
  const policy = settings.get('maxmemory-policy');
  if (policy !== 'noeviction') {
    faults.push(`Redis has maxmemory-policy ${policy}, which may delete accepted jobs: set it to noeviction`);
  }
  const warnings = [];
  if (settings.get('appendonly') !== 'yes' || settings.get('appendfsync') !== 'always') {
    warnings.push(
      'Redis does not write each job to disk before it is accepted: set appendonly yes and appendfsync always',
    );
  }
  if (settings.get('maxmemory') === '0') {
    warnings.push('Redis has no maxmemory: it takes jobs until its machine is full, and then dies; set it');
  }
  return { faults, warnings };
}

async function readVersion(connection: RedisConnection): Promise<string | undefined> {
  try {
    const info = (await connection.command('INFO', 'server')) as string;
    return /^redis_version:(\S+)/m.exec(info)?.[1];
  } catch (error) {
    if (isForbidden(error)) return undefined;
    throw error;
  }
}

async function readSettings(connection: RedisConnection): Promise<Map<string, string> | undefined> {
  const settings = new Map<string, string>();
  for (const name of ['maxmemory-policy', 'maxmemory', 'appendonly', 'appendfsync']) {
    let reply: string[];
    try {
      reply = (await connection.command('CONFIG', 'GET', name)) as string[];
    } catch (error) {
      if (isForbidden(error)) return undefined;
      throw error;
    }
    if (reply[1] === undefined) return undefined;
    settings.set(name, reply[1]);
  }
  return settings;
}

function isForbidden(error: unknown): boolean {
  const reply = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return reply instanceof Error && /unknown command|NOPERM/i.test(reply.message);
}
