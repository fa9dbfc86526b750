import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Git } from './git.ts';

const NOTE = join('tmp', 'tested-tree');

/** The hash of the content that last passed `npm test` in this checkout. */
export function testedTree(git: Git): string | undefined {
  try {
    return readFileSync(join(git.folder, NOTE), 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** Writes down that a content has passed `npm test`, so that it may be released. */
export function noteTestedTree(git: Git, tree: string): void {
  const note = join(git.folder, NOTE);
  mkdirSync(dirname(note), { recursive: true });
  writeFileSync(note, `${tree}\n`);
}
