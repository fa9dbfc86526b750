import { posix } from 'node:path';

/** The files of a workspace; Nx's Tree is one. Paths are relative to its root, with `/`. */
export interface WorkspaceFiles {
  /** Content of a file, or null when there is none. */
  read(path: string, encoding: 'utf-8'): string | null;
  /** Names in a folder; empty when there is none. */
  children(folder: string): string[];
}

/** A workspace package and the workspace packages that its build needs. */
export interface WorkspacePackage {
  /** Folder, relative to the root. */
  root: string;
  /** Name in its package.json. */
  name: string;
  /** Folders of the packages it names under `dependencies`. Those under devDependencies serve its tests, which are not built. */
  needs: string[];
}

interface Manifest {
  name: string;
  workspaces?: string[];
  dependencies?: Record<string, string>;
}

/** The packages of the workspace that are built (they have a tsconfig.json), by folder. */
export function workspacePackages(files: WorkspaceFiles): WorkspacePackage[] {
  const manifest = (folder: string) => {
    const text = files.read(posix.join(folder, 'package.json'), 'utf-8');
    return text === null ? undefined : (JSON.parse(text) as Manifest);
  };
  const roots = (manifest('.')?.workspaces ?? [])
    .flatMap((pattern) =>
      pattern.endsWith('/*')
        ? files.children(pattern.slice(0, -2)).map((name) => posix.join(pattern.slice(0, -2), name))
        : [pattern],
    )
    .filter((root) => files.read(posix.join(root, 'tsconfig.json'), 'utf-8') !== null)
    .sort();
  const found = roots.flatMap((root) => {
    const { name, dependencies } = manifest(root) ?? {};
    return name === undefined ? [] : [{ root, name, dependencies: Object.keys(dependencies ?? {}) }];
  });
  const rootOf = new Map(found.map(({ name, root }) => [name, root]));
  return found.map(({ root, name, dependencies }) => ({
    root,
    name,
    needs: dependencies.flatMap((dependency) => rootOf.get(dependency) ?? []).sort(),
  }));
}

/**
 * Every tsconfig file whose references are not what the packages' dependencies say, with its right content. A package without
 * a tsconfig.build.json gets one.
 */
export function staleReferences(files: WorkspaceFiles): Map<string, string> {
  const packages = workspacePackages(files);
  const wanted = new Map([['tsconfig.json', packages.map(({ root }) => `./${root}/tsconfig.build.json`)]]);
  for (const { root, needs } of packages) {
    const references = needs.map((need) => posix.join(posix.relative(root, need), 'tsconfig.build.json'));
    wanted.set(posix.join(root, 'tsconfig.build.json'), references);
  }
  const stale = new Map<string, string>();
  for (const [path, references] of wanted) {
    const text = files.read(path, 'utf-8');
    const config = (text === null ? newBuildConfig(path) : JSON.parse(text)) as BuildConfig;
    const present = (config.references ?? []).map((reference) => reference.path);
    if (text !== null && present.join() === references.join()) continue;
    const right = { ...config, references: references.map((reference) => ({ path: reference })) };
    stale.set(path, `${JSON.stringify(right, null, 2)}\n`);
  }
  return stale;
}

interface BuildConfig {
  extends?: string;
  references?: { path: string }[];
}

function newBuildConfig(path: string): BuildConfig {
  return { extends: posix.relative(posix.dirname(path), 'tsconfig.emit.json') };
}
