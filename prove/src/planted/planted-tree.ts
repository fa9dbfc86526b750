import { REPOSITORY } from '@coordinator/tools';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { plantIn, type PlantedChange } from './planted-bug.ts';

const CACHE = join(REPOSITORY, 'node_modules', '.cache', 'prove');
/** What of a package is needed to run it. */
const PARTS = ['dist', 'lua', 'package.json'];

/** A copy of what was built, with changes in it; packages of others are linked. */
export class PlantedTree {
  readonly root: string;
  readonly #from: string;

  /**
   * Makes the copy. @throws Error when a text that is to be replaced does not stand exactly once in its file
   *
   * @param from folder that holds apps/ and libs/ as they were built. Default: this repository
   */
  constructor(name: string, changes: readonly PlantedChange[], from = REPOSITORY) {
    this.#from = from;
    this.root = join(CACHE, `${process.pid}-${name.replaceAll(/\W+/g, '-')}`);
    rmSync(this.root, { recursive: true, force: true });
    mkdirSync(join(this.root, 'node_modules', '@coordinator'), { recursive: true });
    for (const folder of workspaceFolders()) this.#copy(folder);
    this.#linkPackages(join(REPOSITORY, 'node_modules'), join(this.root, 'node_modules'));
    for (const change of changes) {
      const file = join(this.root, change.file);
      writeFileSync(file, plantIn(readFileSync(file, 'utf8'), change));
    }
  }

  /** Removes the copy. */
  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  #copy(folder: string): void {
    const from = join(this.#from, folder);
    const to = join(this.root, folder);
    for (const part of PARTS) {
      if (existsSync(join(from, part))) cpSync(join(from, part), join(to, part), { recursive: true });
    }
    const { name } = JSON.parse(readFileSync(join(to, 'package.json'), 'utf8')) as { name: string };
    symlinkSync(relative(join(this.root, 'node_modules', dirname(name)), to), join(this.root, 'node_modules', name));
    const own = join(from, 'node_modules');
    if (existsSync(own)) symlinkSync(own, join(to, 'node_modules'));
  }

  #linkPackages(from: string, to: string): void {
    for (const name of readdirSync(from)) {
      if (name.startsWith('.') || name === '@coordinator') continue;
      symlinkSync(join(from, name), join(to, basename(name)));
    }
  }
}

/** Folders of the packages that the processes are made of. */
function workspaceFolders(): string[] {
  const below = (folder: string) =>
    readdirSync(join(REPOSITORY, folder))
      .map((name) => join(folder, name))
      .filter((path) => existsSync(join(REPOSITORY, path, 'package.json')));
  return ['extensions', 'prove', ...['apps', 'libs', 'extensions'].flatMap(below)];
}
