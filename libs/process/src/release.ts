import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The release of the app whose main.ts lies in `folder`: the version in the package.json above it. */
export function releaseOf(folder: string): string {
  return (JSON.parse(readFileSync(join(folder, '..', 'package.json'), 'utf8')) as { version: string }).version;
}
