import { DEFAULT_KEY_PREFIX, loadScript, type RedisConnection } from '@coordinator/tasks';
import type { BreakerReading } from '@coordinator/tracing';
import { join } from 'node:path';
import { WINDOW_MS } from './protection-policy.ts';

/** How a downstream stands, as all workers share it. Times are milliseconds since 1970 by the clock of Redis. */
export interface DownstreamReading {
  readonly name: string;
  readonly breaker: BreakerReading['state'];
  /** Until when no call is made; undefined while the breaker is closed. */
  readonly openUntilMs: number | undefined;
  /** Until when it has asked to be left alone. */
  readonly pausedUntilMs: number | undefined;
  /** When the rate limit has room again; undefined when it has now, or there is none. */
  readonly nextCallAtMs: number | undefined;
  /** Calls in flight; 0 where their number is not limited: nobody counts them then. */
  readonly inFlight: number;
  /** Of the last 30 s. */
  readonly recent: Readonly<Record<'tries' | 'retries' | 'successes' | 'failures', number>>;
  /** When the last of the jobs comes back that were sent away, by the reason. */
  readonly sentAwayUntilMs: Readonly<Record<string, number>>;
}

// Beside src/ and dist/, so that the same relative path serves both.
const describe = loadScript(join(__dirname, '..', 'lua'), 'describe', ['downstream']);

/**
 * Reads how all downstreams stand that were called in the last two hours, by name.
 *
 * @throws CoordinatorError COORD_QUEUE_UNAVAILABLE
 */
export async function readDownstreams(
  connection: RedisConnection,
  keyPrefix: string = DEFAULT_KEY_PREFIX,
): Promise<DownstreamReading[]> {
  const root = `${keyPrefix}:`;
  const names = ((await connection.command('SMEMBERS', `${root}downstreams`)) as string[]).sort();
  const all = await Promise.all(
    names.map(async (name) => {
      const flat = (await connection.run(describe, root, [name, String(WINDOW_MS)])) as string[];
      return flat.length === 0 ? undefined : readReading(name, flat);
    }),
  );
  return all.filter((reading) => reading !== undefined);
}

function readReading(name: string, flat: readonly string[]): DownstreamReading {
  const told = new Map(Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i] as string, flat[2 * i + 1]]));
  const count = (field: string) => Number(told.get(field) ?? 0);
  const time = (field: string) => count(field) || undefined;
  const lines = Array.from(told).filter(([field]) => field.startsWith('line:'));
  return {
    name,
    breaker: told.get('breaker') as BreakerReading['state'],
    openUntilMs: time('openUntil'),
    pausedUntilMs: time('pausedUntil'),
    nextCallAtMs: time('nextCallAt'),
    inFlight: count('inFlight'),
    recent: {
      ...{ tries: count('tries'), retries: count('retries') },
      ...{ successes: count('successes'), failures: count('failures') },
    },
    sentAwayUntilMs: Object.fromEntries(lines.map(([field, value]) => [field.slice('line:'.length), Number(value)])),
  };
}
