import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defaultBase } from '../build-image.ts';
import type { ImageBuild, ImageEngine } from '../image-engine.ts';
import { npm } from '../npm.ts';

const run = promisify(execFile);

/** Why images cannot be checked here, and what would help. It is no fault of the images. */
export class CannotCheckError extends Error {
  override name = 'CannotCheckError';
  /** EX_UNAVAILABLE of sysexits.h. */
  readonly exitCode = 69;
}

/** The packages that Node needs, and no shell; it brings its own certificates. */
const PACKAGES = 'base-files,netbase,libc6,libstdc++6,libgcc-s1,tzdata';
const NODE_MAJOR = 24;

/** Whether the base that the Dockerfile names can be had. */
export async function canPullBase(engine: ImageEngine): Promise<boolean> {
  try {
    await engine.call('pull', '--quiet', defaultBase());
    return true;
  } catch {
    return false;
  }
}

/**
 * Makes a base where no registry has one: packages of Debian and Node's own binary, which npm has as a package.
 *
 * @param folder an empty one
 * @throws CannotCheckError when mmdebstrap, Debian or npm cannot be had
 */
export async function makeBase(
  engine: ImageEngine,
  folder: string,
  image: Pick<ImageBuild, 'tags' | 'labels'>,
): Promise<void> {
  try {
    await run(
      'mmdebstrap',
      ['--quiet', '--variant=extract', `--include=${PACKAGES}`, 'bookworm', join(folder, 'rootfs.tar')],
      { env: { ...process.env, SOURCE_DATE_EPOCH: '0' } },
    );
    const archive = (await npm(folder, 'pack', '--silent', `node-linux-${process.arch}@${NODE_MAJOR}`)).trim();
    await run('tar', ['-xzf', archive, 'package/bin/node'], { cwd: folder });
    await rename(join(folder, 'package', 'bin', 'node'), join(folder, 'node'));
  } catch (error) {
    const { code, message } = error as Error & { code?: unknown };
    const why = code === 'ENOENT' ? 'mmdebstrap is not installed: apt-get install mmdebstrap' : message.trim();
    throw new CannotCheckError(
      `No registry has the base, and none could be made: ${why}. With one at hand: --base IMAGE`,
      { cause: error },
    );
  }
  const dockerfile = join(folder, 'Dockerfile');
  await writeFile(dockerfile, 'FROM scratch\nADD rootfs.tar /\nCOPY node /usr/local/bin/node\n');
  await engine.build({ dockerfile, context: folder, ...image });
}
