import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { staleReferences, type WorkspaceFiles, workspacePackages } from './references.ts';

function inMemory(content: Record<string, unknown>): WorkspaceFiles {
  const paths = Object.keys(content);
  return {
    read: (path) => (path in content ? JSON.stringify(content[path]) : null),
    children: (folder) => [
      ...new Set(paths.filter((path) => path.startsWith(`${folder}/`)).map((path) => path.split('/')[1] ?? '')),
    ],
  };
}

const workspace = (references: { path: string }[]) =>
  inMemory({
    'package.json': { workspaces: ['libs/*', 'tools'] },
    'tsconfig.json': { references: [{ path: './libs/low/tsconfig.build.json' }] },
    'libs/low/package.json': { name: '@x/low', devDependencies: { '@x/high': '0.0.0' } },
    'libs/low/tsconfig.json': {},
    'libs/high/tsconfig.json': {},
    'libs/low/tsconfig.build.json': { references: [] },
    'libs/high/package.json': { name: '@x/high', dependencies: { '@x/low': '0.0.0', zod: '4.0.0' } },
    'libs/high/tsconfig.build.json': { extends: '../../tsconfig.emit.json', references },
    'tools/package.json': { name: '@x/tools' },
  });

describe('references of the build', () => {
  test('follow dependencies, and not devDependencies, which only tests use', () => {
    expect(workspacePackages(workspace([]))).toEqual([
      { root: 'libs/high', name: '@x/high', needs: ['libs/low'] },
      { root: 'libs/low', name: '@x/low', needs: [] },
    ]);
  });

  test('are put right where they are stale, and everything else in the file stays', () => {
    const stale = staleReferences(workspace([]));
    expect([...stale.keys()]).toEqual(['tsconfig.json', 'libs/high/tsconfig.build.json']);
    expect(JSON.parse(stale.get('libs/high/tsconfig.build.json') ?? '')).toEqual({
      extends: '../../tsconfig.emit.json',
      references: [{ path: '../low/tsconfig.build.json' }],
    });
  });

  test('are begun for a package that has no build configuration yet', () => {
    const files = inMemory({
      'package.json': { workspaces: ['libs/*'] },
      'tsconfig.json': { references: [{ path: './libs/new/tsconfig.build.json' }] },
      'libs/new/package.json': { name: '@x/new' },
      'libs/new/tsconfig.json': {},
    });
    const [[path, content] = []] = staleReferences(files);
    expect(path).toBe('libs/new/tsconfig.build.json');
    expect(JSON.parse(content ?? '')).toEqual({ extends: '../../tsconfig.emit.json', references: [] });
  });

  test('of this workspace are in sync; where not, npx nx sync puts them right', () => {
    const root = resolve(__dirname, '../..');
    const files: WorkspaceFiles = {
      read: (path) => (existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : null),
      children: (folder) => (existsSync(join(root, folder)) ? readdirSync(join(root, folder)) : []),
    };
    expect([...staleReferences(files).keys()]).toEqual([]);
  });
});
