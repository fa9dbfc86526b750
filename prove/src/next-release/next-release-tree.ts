import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PlantedChange } from '../planted/planted-bug.ts';
import { PlantedTree } from '../planted/planted-tree.ts';

const APPS = ['apps/coordinator-api/package.json', 'apps/coordinator-worker/package.json'];

/** A copy of a tree as the release after it: with a version of its own, and with the extension of this folder. */
export class NextReleaseTree extends PlantedTree {
  /** The release of the tree that was copied. */
  readonly olderRelease: string;
  readonly release: string;

  /** @param from folder that holds apps/ and libs/ as they were built */
  constructor(from: string) {
    const { version } = JSON.parse(readFileSync(join(from, APPS[0] as string), 'utf8')) as { version: string };
    const next = version.replace(/\d+$/, (patch) => String(Number(patch) + 1));
    const bump = (file: string): PlantedChange => ({
      name: 'the next release',
      file,
      find: `"version": "${version}"`,
      replace: `"version": "${next}"`,
    });
    const extension: PlantedChange = {
      name: 'the extension of the next release',
      file: 'prove/package.json',
      find: '"default": "./dist/extension/index.js"',
      replace: '"default": "./dist/next-release/index.js"',
    };
    super('the next release', [...APPS.map(bump), extension], from);
    this.olderRelease = version;
    this.release = next;
  }
}
