/** An entry of package-lock.json: https://docs.npmjs.com/cli/configuring-npm/package-lock-json#packages */
export interface LockedPackage {
  readonly version?: string;
  /** Where it was got from; of a link, the folder it leads to. */
  readonly resolved?: string;
  readonly link?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly workspaces?: readonly string[];
}

/** What is read of package-lock.json. */
export interface Lock {
  /** By folder; '' is the root. */
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

/** The part of a lock that one app needs. */
export interface AppLock<L extends Lock = Lock> {
  /** For `npm ci`, beside a package.json that {@link withoutDevelopment} and `folders` were applied to. */
  readonly lock: L;
  /** Folders of the workspace's packages that the app reaches, itself first. */
  readonly folders: readonly string[];
}

/**
 * Narrows the lock of a workspace to one app: the packages of the workspace that it does not reach and all dependencies
 * for development are gone, versions and hashes of the others stay as they are. `npm ci --workspace` does not do: it installs
 * what a reached package needs for development as soon as any other package of the workspace needs it in production.
 *
 * @param app folder of the app, `apps/coordinator-api`
 * @throws Error when the lock does not know the app
 */
export function lockOfApp<L extends Lock>(lock: L, app: string): AppLock<L> {
  const { packages } = lock;
  const folders = reachedFolders(packages, app);
  const narrowed: Record<string, LockedPackage> = {};
  for (const [path, locked] of Object.entries(packages)) {
    if (path === '') narrowed[path] = { ...withoutDevelopment(locked), workspaces: folders };
    else if (folders.includes(path)) narrowed[path] = withoutDevelopment(locked);
    else if (locked.link ? folders.includes(locked.resolved ?? '') : isOfOthers(path, folders)) narrowed[path] = locked;
  }
  return { lock: { ...lock, packages: narrowed }, folders };
}

const DEVELOPMENT = new Set(['devDependencies', 'scripts']);

/** A manifest, or what a lock holds of it, as a package that is only run needs it. */
export function withoutDevelopment<T extends object>(manifest: T): T {
  return Object.fromEntries(Object.entries(manifest).filter(([key]) => !DEVELOPMENT.has(key))) as T;
}

function reachedFolders(packages: Lock['packages'], app: string): string[] {
  if (packages[app] === undefined) throw new Error(`package-lock.json knows no ${app}: give the folder of an app.`);
  const reached = new Set<string>();
  const reach = (folder: string): void => {
    if (reached.has(folder)) return;
    reached.add(folder);
    const { dependencies, optionalDependencies } = packages[folder] ?? {};
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const target = packages[`node_modules/${name}`];
      if (target?.link && target.resolved !== undefined) reach(target.resolved);
    }
  };
  reach(app);
  return [...reached];
}

/** Whether a package is one of others, and not only there for a folder that is left out. */
function isOfOthers(path: string, folders: readonly string[]): boolean {
  const owner = path.split(/(?:^|\/)node_modules\//, 1)[0] ?? '';
  return path !== owner && (owner === '' || folders.includes(owner));
}
