import { chmodSync, lutimesSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** A layer that holds the time or the umask of its making is another one each time. */
const MTIME = new Date(0);

/** Gives all files and folders below one, and itself, the same times, and rights that follow from being executable. */
export function settleFileTree(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) settleFileTree(path);
    else {
      if (entry.isFile()) chmodSync(path, statSync(path).mode & 0o100 ? 0o755 : 0o644);
      lutimesSync(path, MTIME, MTIME);
    }
  }
  chmodSync(folder, 0o755);
  lutimesSync(folder, MTIME, MTIME);
}
