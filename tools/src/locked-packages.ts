import { posix } from 'node:path';

/** An entry of package-lock.json: https://docs.npmjs.com/cli/configuring-npm/package-lock-json#packages */
export interface LockedPackage {
  readonly version?: string;
  /** Where it was got from; of a link, the folder it leads to. */
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  /** As an SPDX expression. */
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** The entries of package-lock.json by folder; '' is the root. */
export type LockedPackages = Readonly<Record<string, LockedPackage>>;

/**
 * The folders of all packages that the package in `start` needs to run, itself first, those of the workspace and those of
 * others alike. What only development needs is not among them.
 */
export function neededPackages(packages: LockedPackages, start: string): string[] {
  const needed = new Set<string>();
  const reach = (folder: string): void => {
    if (needed.has(folder)) return;
    needed.add(folder);
    const { dependencies, optionalDependencies, peerDependencies } = packages[folder] ?? {};
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })) {
      const found = locate(packages, folder, name);
      if (found !== undefined) reach(found);
    }
  };
  if (packages[start] === undefined) throw new Error(`package-lock.json knows no ${start}.`);
  reach(start);
  return [...needed];
}

/** The folder of the package that `require(name)` finds from within `folder`; undefined for one that is not installed. */
function locate(packages: LockedPackages, folder: string, name: string): string | undefined {
  for (let base = folder; ; base = posix.dirname(base)) {
    const path = base === '.' ? `node_modules/${name}` : `${base}/node_modules/${name}`;
    const found = packages[path];
    if (found !== undefined) return found.link ? found.resolved : path;
    if (base === '.') return undefined;
  }
}
