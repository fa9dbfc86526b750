import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Lock, lockOfApp, withoutDevelopment } from './app-lock.ts';
import { isNeedlessOfOurs, removeNeedlessFiles } from './needless-files.ts';
import { npm } from './npm.ts';
import { billOfMaterials } from './sbom.ts';
import { settleFileTree } from './settled-files.ts';

/** Settings of {@link writeAppTree}. */
export interface AppTreeOptions {
  /** Root of a checkout that is built. */
  readonly workspace: string;
  /** Name of the app's folder below `apps`: `coordinator-api`. */
  readonly app: string;
  /** Where the tree goes: a folder that is empty or not there yet. */
  readonly directory: string;
}

/** A tree that {@link writeAppTree} has written. */
export interface AppTree {
  /** Root of the tree. */
  readonly directory: string;
  /** What node runs: `<directory>/apps/<app>/dist/main.js`. `<directory>/main.js` does the same for any app. */
  readonly main: string;
  /** What the app tells as its release. */
  readonly release: string;
  /** Folders of the workspace's packages in it, as in the workspace, the app first. */
  readonly folders: readonly string[];
}

/** File in the root of a tree that lists its packages, as CycloneDX. */
export const SBOM_FILE = 'sbom.cdx.json';

/**
 * Writes all that an app needs to run, and no more, besides node: its packages as package-lock.json has them, what is built of
 * the app and of the libs and extensions that it reaches, and a bill of materials. Two runs over the same sources write the
 * same bytes. Start it with `node --disable-proto=delete --enable-source-maps <main>`.
 *
 * @throws Error when the directory is not empty, the app is not built, or npm cannot get a package
 */
export async function writeAppTree({ workspace, app, directory }: AppTreeOptions): Promise<AppTree> {
  refuseFilled(directory);
  const folder = `apps/${app}`;
  const { lock, folders } = lockOfApp(readJson<Lock>(join(workspace, 'package-lock.json')), folder);
  const main = join(folder, 'dist', 'main.js');
  if (!existsSync(join(workspace, main))) throw new Error(`There is no ${main} in ${workspace}: build it first.`);

  for (const path of ['', ...folders]) {
    const manifest = withoutDevelopment(readJson(join(workspace, path, 'package.json')));
    // npm sbom wants a version of the root, which has none of its own.
    const root = { version: '0.0.0', ...manifest, workspaces: folders };
    writeJson(join(directory, path, 'package.json'), path === '' ? root : manifest);
  }
  writeJson(join(directory, 'package-lock.json'), lock);
  // Where to get packages, if somebody has written that into the checkout.
  const npmrc = join(workspace, '.npmrc');
  if (existsSync(npmrc)) copyFileSync(npmrc, join(directory, '.npmrc'));
  await npm(directory, 'ci', '--omit=dev', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund');
  await copyPackages(workspace, directory, folders);
  // A file and no link: image builders copy what a link leads to.
  writeFileSync(join(directory, 'main.js'), `require('./${main}');\n`);

  const { name, version } = readJson<{ name: string; version: string }>(join(directory, folder, 'package.json'));
  const sbom = billOfMaterials(await npm(directory, 'sbom', '--sbom-format=cyclonedx'), { name, version });
  writeJson(join(directory, SBOM_FILE), sbom);
  // Needed by npm only.
  for (const file of ['package.json', 'package-lock.json', '.npmrc']) rmSync(join(directory, file), { force: true });
  for (const path of ['', ...folders]) {
    const nodeModules = join(directory, path, 'node_modules');
    if (existsSync(nodeModules)) removeNeedlessFiles(nodeModules);
  }
  settleFileTree(directory);
  return { directory, main: join(directory, main), release: version, folders };
}

/** Copies what the packages would publish, by the `files` of their package.json, without types. */
async function copyPackages(workspace: string, directory: string, folders: readonly string[]): Promise<void> {
  const named = folders.map((folder) => `--workspace=${folder}`);
  const packed = await npm(workspace, 'pack', '--dry-run', '--json', '--ignore-scripts', ...named);
  const fileLists = JSON.parse(packed) as { name: string; files: { path: string }[] }[];
  for (const folder of folders) {
    const { name } = readJson<{ name: string }>(join(workspace, folder, 'package.json'));
    const files = fileLists.find((list) => list.name === name)?.files ?? [];
    for (const { path } of files) {
      // The one in the tree is written already.
      if (path === 'package.json' || isNeedlessOfOurs(path)) continue;
      const target = join(directory, folder, path);
      mkdirSync(dirname(target), { recursive: true });
      copyFileSync(join(workspace, folder, path), target);
    }
  }
}

function refuseFilled(directory: string): void {
  if (!existsSync(directory) || readdirSync(directory).length === 0) return;
  throw new Error(`${directory} is not empty: give a folder that is empty or not there yet.`);
}

function readJson<T extends object>(file: string): T {
  return JSON.parse(readFileSync(file, 'utf8')) as T;
}

function writeJson(file: string, value: unknown): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}
