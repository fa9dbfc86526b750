import { REPOSITORY } from '@coordinator/tools';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const INSTALLED = join(REPOSITORY, 'node_modules');

/**
 * Gives a copy of this repository its packages: those of others are links to what is installed here, ours lead to the
 * copy's own folders.
 *
 * @param folders of our packages, in the copy as here
 */
export function linkPackages(root: string, folders: readonly string[]): void {
  const packages = join(root, 'node_modules');
  mkdirSync(join(packages, '@coordinator'), { recursive: true });
  for (const name of readdirSync(INSTALLED)) {
    if (name.startsWith('.') || name === '@coordinator') continue;
    symlinkSync(join(INSTALLED, name), join(packages, name));
  }
  for (const folder of folders) {
    const { name } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as { name: string };
    symlinkSync(relative(join(packages, dirname(name)), join(root, folder)), join(packages, name));
    const own = join(REPOSITORY, folder, 'node_modules');
    if (existsSync(own)) symlinkSync(own, join(root, folder, 'node_modules'));
  }
}
