import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '@coordinator/task-testing';
import { type AppTree, REPOSITORY, SBOM_FILE, startStack, writeAppTree } from '@coordinator/tools';
import { Coordinator } from './coordinator.ts';

const work = mkdtempSync(join(tmpdir(), 'app-tree-'));
let api: AppTree;
let worker: AppTree;

const treeOf = (app: string, directory = app) =>
  writeAppTree({ workspace: REPOSITORY, app, directory: join(work, directory) });

beforeAll(async () => {
  api = await treeOf('coordinator-api');
  worker = await treeOf('coordinator-worker');
}, 240_000);
afterAll(() => rmSync(work, { recursive: true, force: true }));

test('trees of API and worker, and nothing else, take an order to its end in one trace', async () => {
  const trees: Record<string, string> = { 'coordinator-api': api.directory, 'coordinator-worker': worker.directory };
  const coordinator = new Coordinator(await startStack({ rootOf: (app) => trees[app] ?? REPOSITORY }));
  try {
    const order = coordinator.newOrder();
    const { body } = await coordinator.placeOrder(order);
    const { traceId } = (await coordinator.get(body.links.self)).body;
    await eventually(async () => {
      const timeline = await coordinator.timeline(order.orderNumber);
      expect(timeline.map(({ task, state }) => [task, state])).toEqual([
        ['orders.fulfil', 'completed'],
        ['lms.enrol', 'completed'],
      ]);
      const kinds = (await coordinator.spans(traceId)).map((span) => span.kind);
      expect(new Set(kinds)).toEqual(new Set(['SERVER', 'PRODUCER', 'CONSUMER', 'CLIENT']));
    });
    expect((await coordinator.get('/version')).body).toEqual({ release: api.release });
  } finally {
    await coordinator.stack.stop();
  }
}, 60_000);

test('a tree that is written again is the same to the byte', async () => {
  const again = await treeOf('coordinator-worker', 'again');
  expect(filesOf(again.directory)).toEqual(filesOf(worker.directory));
}, 120_000);

describe('a tree', () => {
  test('holds the packages of its own app only, and none for development', () => {
    const has = (tree: AppTree, name: string) => existsSync(join(tree.directory, 'node_modules', name));
    expect([has(api, 'express'), has(worker, 'express')]).toEqual([true, false]);
    for (const name of ['@coordinator/task-testing', 'jest', 'typescript']) expect(has(api, name)).toBe(false);
  });

  test('holds what is built, with its scripts and maps, without tests and types', () => {
    const files = Object.keys(filesOf(api.directory)).filter((file) => !file.includes('node_modules/'));
    expect(files).toEqual(
      expect.arrayContaining(['libs/tasks/dist/index.js', 'libs/tasks/dist/index.js.map', 'libs/tasks/lua/job.lua']),
    );
    expect(files.filter((file) => /\.test\.|\.ts$|tsbuildinfo|(?:^|\/)src\//.test(file))).toEqual([]);
  });

  test('lists in its bill of materials all packages that it holds', () => {
    const { components } = JSON.parse(readFileSync(join(api.directory, SBOM_FILE), 'utf8'));
    const listed = components.map(({ name, version }: { name: string; version: string }) => `${name}@${version}`);
    expect([...new Set(listed)].sort()).toEqual([...new Set(packagesOf(api.directory))].sort());
  });

  test('lost no file that a package of others offers to Node', () => {
    const lost = [api, worker].flatMap(({ directory }) =>
      packageFolders(directory).flatMap((folder) => {
        const kept = offeredFiles(directory, folder);
        return offeredFiles(REPOSITORY, folder).filter((file) => !kept.includes(file));
      }),
    );
    expect(lost).toEqual([]);
  });
});

test('an app that is not there, and a folder in use, are refused', async () => {
  await expect(treeOf('shop')).rejects.toThrow('package-lock.json knows no apps/shop');
  await expect(treeOf('sandbox', 'coordinator-api')).rejects.toThrow('is not empty');
});

/** Every file of a tree with its content and times. */
function filesOf(root: string, folder = root): Record<string, string> {
  const found = readdirSync(folder, { withFileTypes: true }).map((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesOf(root, path);
    const content = entry.isSymbolicLink() ? readlinkSync(path) : readFileSync(path);
    const { mode, mtimeMs } = lstatSync(path);
    const facts = `${createHash('sha256').update(content).digest('hex')} ${mode} ${mtimeMs}`;
    return { [relative(root, path)]: facts };
  });
  return Object.assign({}, ...found);
}

/** Folders of the packages of others, `node_modules/express`. */
function packageFolders(root: string): string[] {
  const below = (nodeModules: string): string[] => {
    if (!existsSync(join(root, nodeModules))) return [];
    const named = readdirSync(join(root, nodeModules)).flatMap((name) =>
      name.startsWith('@')
        ? readdirSync(join(root, nodeModules, name)).map((inner) => `${nodeModules}/${name}/${inner}`)
        : [`${nodeModules}/${name}`],
    );
    const packages = named.filter((folder) => lstatSync(join(root, folder)).isDirectory());
    return packages.flatMap((folder) => [folder, ...below(`${folder}/node_modules`)]);
  };
  return [...below('node_modules'), ...below('libs/downstream/node_modules')].filter((folder) =>
    existsSync(join(root, folder, 'package.json')),
  );
}

function packagesOf(root: string): string[] {
  const ours = readdirSync(join(root, 'node_modules/@coordinator')).map((name) => `node_modules/@coordinator/${name}`);
  return [...packageFolders(root), ...ours].map((folder) => {
    const { name, version } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    return `${name}@${version}`;
  });
}

/** The files that `main` and `exports` of a package lead to under the conditions of Node, where they are there. */
function offeredFiles(root: string, folder: string): string[] {
  const { main, exports } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
  const targets = [main || 'index.js', ...targetsOf(exports)].filter((target) => !target.includes('*'));
  return targets
    .flatMap((target) => [target, `${target}.js`, `${target}/index.js`])
    .filter((target) => !/\.(?:[cm]?ts|md)$/.test(target))
    .map((target) => join(folder, target))
    .filter((file) => existsSync(join(root, file)) && lstatSync(join(root, file)).isFile());
}

function targetsOf(exports: unknown): string[] {
  if (typeof exports === 'string') return [exports];
  if (typeof exports !== 'object' || exports === null) return [];
  // Conditions that only compilers and bundlers set.
  return Object.entries(exports).flatMap(([key, value]) =>
    ['types', 'module', 'esnext', 'browser'].includes(key) ? [] : targetsOf(value),
  );
}
