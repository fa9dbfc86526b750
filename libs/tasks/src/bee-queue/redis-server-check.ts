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
  const settings = await readSettings(connection);
  if (!settings) {
    // Managed services forbid CONFIG.
    const warning = 'This Redis does not tell its settings: see to maxmemory-policy noeviction and appendfsync always';
    return { faults: [], warnings: [warning] };
  }
  const policy = settings.get('maxmemory-policy');
  const faults =
    policy === 'noeviction'
      ? []
      : [`Redis has maxmemory-policy ${policy}, which may delete accepted jobs: set it to noeviction`];
  const durable = settings.get('appendonly') === 'yes' && settings.get('appendfsync') === 'always';
  const warnings = durable
    ? []
    : ['Redis does not write each job to disk before it is accepted: set appendonly yes and appendfsync always'];
  return { faults, warnings };
}

async function readSettings(connection: RedisConnection): Promise<Map<string, string> | undefined> {
  const settings = new Map<string, string>();
  for (const name of ['maxmemory-policy', 'appendonly', 'appendfsync']) {
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
