import type { RedisConnection } from '@coordinator/tasks';
import { setTimeout as delay } from 'node:timers/promises';

const LOOK_EVERY_MS = 200;

/**
 * Lets Redis write its append-only file anew, from what it holds now, and waits until it has. False when it keeps none.
 *
 * @throws Error when Redis could not write it
 */
export async function rewriteAppendOnlyFile(connection: RedisConnection): Promise<boolean> {
  if ((await persistence(connection)).get('aof_enabled') !== '1') return false;
  // One that is under way may have begun with the old data.
  await rewritten(connection);
  await connection.command('BGREWRITEAOF');
  const status = await rewritten(connection);
  if (status !== 'ok') throw new Error(`Redis could not rewrite its append-only file (${status}); its log says why.`);
  return true;
}

async function rewritten(connection: RedisConnection): Promise<string> {
  for (;;) {
    const info = await persistence(connection);
    const busy = info.get('aof_rewrite_in_progress') === '1' || info.get('aof_rewrite_scheduled') === '1';
    if (!busy) return info.get('aof_last_bgrewrite_status') ?? 'unknown';
    await delay(LOOK_EVERY_MS);
  }
}

async function persistence(connection: RedisConnection): Promise<Map<string, string>> {
  const lines = String(await connection.command('INFO', 'persistence')).split('\r\n');
  return new Map(lines.map((line) => line.split(':') as [string, string]));
}
