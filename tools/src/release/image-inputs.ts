import { createHash } from 'node:crypto';
import type { Git } from './git.ts';
import { type LockedPackages, neededPackages } from '../locked-packages.ts';

/** What an image is made from: the name of each input, a file or an npm package, with what identifies its content. */
export type ImageInputs = ReadonlyMap<string, string>;

/** Files of a package that leave no trace in what is built of it. */
const WITHOUT_TRACE = /\.test\.ts$|\.md$|(?:^|\/)(?:jest\.config\.cjs|tsconfig\.json)$/;

/** Files outside the packages that every image depends on. */
const SHARED = /^(?:tsconfig\.(?:base|emit)\.json|deploy\/images\/.*|tools\/src\/images\/.*)$/;

/** The npm package that turns sources into what is run. */
const COMPILER = 'node_modules/@typescript/native';

/**
 * Reads from git, with nothing checked out or built, what the image of an app is made from at a commit. The versions of the
 * packages of this workspace are no part of it: they change with each release.
 *
 * @param app folder of the app, `apps/coordinator-api`
 */
export function readImageInputs(git: Git, commit: string, app: string): ImageInputs {
  const { packages } = JSON.parse(git.run('show', `${commit}:package-lock.json`)) as { packages: LockedPackages };
  const workspace = Object.keys(packages).filter((folder) => folder !== '' && !folder.includes('node_modules/'));
  const needed = neededPackages(packages, app);
  const inputs = new Map<string, string>();
  for (const folder of [...needed, COMPILER]) {
    const { version = '', integrity = '' } = packages[folder] ?? {};
    if (folder.includes('node_modules/')) inputs.set(folder, `${version} ${integrity}`);
  }
  for (const [file, hash] of readTree(git, commit)) {
    const owner = workspace
      .filter((folder) => file.startsWith(`${folder}/`))
      .sort(byLength)
      .at(-1);
    if (owner === undefined ? !SHARED.test(file) : !needed.includes(owner) && !SHARED.test(file)) continue;
    if (WITHOUT_TRACE.test(file)) continue;
    const isManifest = owner !== undefined && file === `${owner}/package.json`;
    inputs.set(file, isManifest ? hashOf(manifestWithoutVersions(git.run('show', `${commit}:${file}`))) : hash);
  }
  return inputs;
}

/** The names of inputs that one has and the other has not, or has with another content; sorted. */
export function changedInputs(before: ImageInputs, after: ImageInputs): string[] {
  return [...new Set([...before.keys(), ...after.keys()])].filter((key) => before.get(key) !== after.get(key)).sort();
}

function readTree(git: Git, commit: string): [file: string, hash: string][] {
  const entries = git.run('ls-tree', '-r', '-z', commit).split('\0').filter(Boolean);
  return entries.map((entry) => {
    const [meta = '', file = ''] = entry.split('\t');
    return [file, meta.split(' ')[2] ?? ''];
  });
}

function manifestWithoutVersions(text: string): string {
  const manifest = JSON.parse(text) as Record<string, unknown>;
  // Which version of each is there, package-lock.json says.
  const dependencies = Object.keys((manifest.dependencies ?? {}) as object).sort();
  const lasting = { ...manifest, dependencies, version: undefined, devDependencies: undefined, scripts: undefined };
  return JSON.stringify(lasting);
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function byLength(a: string, b: string): number {
  return a.length - b.length;
}
