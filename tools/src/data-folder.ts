import { mkdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { isAlive } from '@coordinator/task-testing';

/**
 * Takes a folder of data for this process; two servers on the same files would ruin them.
 *
 * @returns gives it back
 * @throws Error that names the process which has it.
 */
export function claimDataFolder(folder: string): () => void {
  const lock = `${folder}.lock`;
  mkdirSync(dirname(folder), { recursive: true });
  for (;;) {
    try {
      // Made and given our pid in one step, so that the lock of a killed process is told from one in use.
      symlinkSync(String(process.pid), lock);
      return () => rmSync(lock, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = Number(readlinkSync(lock));
    if (isAlive(holder)) {
      throw new Error(`Process ${holder} uses ${folder} already. End it, or set REDIS_URL to use another Redis.`);
    }
    rmSync(lock, { force: true });
  }
}
