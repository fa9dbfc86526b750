import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LockedPackages } from '../locked-packages.ts';

/** What is read of a package.json. */
export interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** A package of the workspace that extensions in other repositories are built on. */
export interface PublishedPackage {
  /** Relative to the root. */
  readonly folder: string;
  readonly manifest: Manifest;
}

/** The packages of a checkout that are not private. */
export function publishedPackages(workspace: string): PublishedPackage[] {
  const readJson = <T>(path: string) => JSON.parse(readFileSync(join(workspace, path), 'utf8')) as T;
  const { packages } = readJson<{ packages: LockedPackages }>('package-lock.json');
  return Object.keys(packages)
    .filter((folder) => folder !== '' && !folder.includes('node_modules/'))
    .filter((folder) => existsSync(join(workspace, folder, 'package.json')))
    .map((folder) => ({ folder, manifest: readJson<Manifest>(`${folder}/package.json`) }))
    .filter(({ manifest }) => !manifest.private);
}
