import { readdirSync, rmSync, type Dirent } from 'node:fs';
import { join } from 'node:path';

/**
 * Types, sources, source maps and texts of others' packages. Stack traces through them then show what is built; the paths
 * of our own code are kept, see {@link isNeedlessOfOurs}.
 */
const NEEDLESS_FILES = /\.(?:map|[cm]?ts|md|markdown)$/i;

/** Whoever passes a package on has to pass these on. */
const LEGAL_TEXTS = /^(?:licen[cs]e|notice|copying|copyright|authors)/i;

/** At the top of a package only: deeper down a folder of such a name may well be code. */
const NEEDLESS_FOLDERS = new Set(['test', 'tests', '__tests__', 'docs', 'example', 'examples', 'bench', 'benchmarks']);

/** Second and third copies of a package under conditions that Node never asks for: `module` and `esnext`, for bundlers. */
const NEEDLESS_BUILDS: readonly RegExp[] = [/^@opentelemetry\/[^/]+\/build\/(?:esm|esnext)$/];

/**
 * Removes what no process reads from a `node_modules` folder: two thirds of its size. What a package offers to Node by its
 * `main` or `exports` stays.
 */
export function removeNeedlessFiles(nodeModules: string): void {
  for (const entry of entriesOf(nodeModules)) {
    // .bin and npm's own notes, which name the versions of our packages.
    if (entry.name.startsWith('.')) rmSync(join(nodeModules, entry.name), { recursive: true });
    else if (entry.name.startsWith('@')) {
      for (const scoped of entriesOf(join(nodeModules, entry.name))) {
        if (scoped.isDirectory()) clearPackage(nodeModules, `${entry.name}/${scoped.name}`);
      }
    } else if (entry.isDirectory()) clearPackage(nodeModules, entry.name);
  }
}

/** Whether a file of a package of ours is left out: types and their maps. The maps of the code stay, for stack traces. */
export function isNeedlessOfOurs(file: string): boolean {
  return /\.(?:d\.ts|d\.ts\.map|md)$/.test(file);
}

function clearPackage(nodeModules: string, name: string): void {
  const clear = (path: string, top: boolean): void => {
    for (const entry of entriesOf(join(nodeModules, path))) {
      const inner = `${path}/${entry.name}`;
      if (entry.name === 'node_modules') removeNeedlessFiles(join(nodeModules, inner));
      else if (isNeedless(entry, inner, top)) rmSync(join(nodeModules, inner), { recursive: true });
      else if (entry.isDirectory()) clear(inner, false);
    }
  };
  clear(name, true);
}

function isNeedless(entry: Dirent, path: string, top: boolean): boolean {
  if (entry.name.startsWith('.')) return true;
  if (entry.isDirectory()) {
    return (top && NEEDLESS_FOLDERS.has(entry.name)) || NEEDLESS_BUILDS.some((build) => build.test(path));
  }
  return NEEDLESS_FILES.test(entry.name) && !LEGAL_TEXTS.test(entry.name);
}

function entriesOf(folder: string): Dirent[] {
  return readdirSync(folder, { withFileTypes: true });
}
