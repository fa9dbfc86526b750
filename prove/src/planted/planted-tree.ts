import { REPOSITORY } from '@coordinator/tools';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { linkPackages } from './linked-packages.ts';
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
    const folders = workspaceFolders();
    for (const folder of folders) this.#copy(folder);
    linkPackages(this.root, folders);
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
