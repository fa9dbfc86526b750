import { silentLogger } from '@coordinator/logging';
import { eventually, startRedis } from '@coordinator/task-testing';
import { RedisConnection } from '@coordinator/tasks';
import { copyFile, cp, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Sends one command to Redis. */
export type Ask = (...command: string[]) => Promise<unknown>;

/** What a copy of Redis is made of. */
export type BackupKind = 'append-only files' | 'snapshot';

/** Copies Redis under load, as docs/guides/run-it.md has it. Returns the folder of the copy. */
export async function backUp(kind: BackupKind, dir: string, ask: Ask): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'coordinator-backup-'));
  if (kind === 'snapshot') {
    const before = await ask('LASTSAVE');
    // LASTSAVE counts seconds.
    await new Promise((wake) => setTimeout(wake, 1_000));
    await ask('BGSAVE');
    await eventually(
      async () => {
        if ((await ask('LASTSAVE')) === before) throw new Error('the snapshot is not written');
      },
      { deadlineMs: 60_000 },
    );
    await copyFile(join(dir, 'dump.rdb'), join(copy, 'dump.rdb'));
    return copy;
  }
  // A rewrite in the middle of copying would leave a manifest that names files which are gone.
  await ask('CONFIG', 'SET', 'auto-aof-rewrite-percentage', '0');
  await cp(join(dir, 'appendonlydir'), join(copy, 'appendonlydir'), { recursive: true });
  await ask('CONFIG', 'SET', 'auto-aof-rewrite-percentage', '100');
  return copy;
}

/** Makes a folder that Redis starts on with its append-only file: given a snapshot alone, it would start empty. */
export async function restore(kind: BackupKind, copy: string): Promise<void> {
  if (kind !== 'snapshot') return;
  const redis = await startRedis({ dir: copy, appendfsync: 'no-aof' });
  const connection = new RedisConnection({ url: redis.url, log: silentLogger, commandDeadlineMs: 5_000 });
  try {
    await connection.connect();
    await connection.command('CONFIG', 'SET', 'appendonly', 'yes');
    await eventually(
      async () => {
        const info = String(await connection.command('INFO', 'persistence'));
        if (!/aof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0/.test(info))
          throw new Error('the file is not written');
      },
      { deadlineMs: 60_000 },
    );
  } finally {
    connection.close();
    await redis.stop();
  }
}
