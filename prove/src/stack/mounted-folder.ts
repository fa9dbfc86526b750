import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A folder that is a file system of its own; needs the right to mount. */
export class MountedFolder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** A file system in memory that is full at `bytes`. */
  static async inMemory(bytes: number): Promise<MountedFolder> {
    const path = await emptyFolder();
    await run('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', path]);
    return new MountedFolder(path);
  }

  /** The file system in an image. */
  static async ofImage(image: string): Promise<MountedFolder> {
    const path = await emptyFolder();
    await run('mount', ['-o', 'loop', image, path]);
    return new MountedFolder(path);
  }

  /** Makes an image with an empty file system in it. */
  static async makeImage(image: string, mebibytes: number): Promise<void> {
    await run('truncate', ['-s', `${mebibytes}M`, image]);
    await run('mkfs.ext4', ['-q', '-F', image]);
  }

  /** Takes it away. */
  async unmount(): Promise<void> {
    await run('umount', [this.path]);
    await rm(this.path, { recursive: true, force: true });
  }
}

function emptyFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'coordinator-mount-'));
}
