import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { REPOSITORY } from './repository.ts';

function nx(...args: string[]): string {
  const env = { ...process.env, NX_DAEMON: 'false', CI: '1' };
  const bin = join(REPOSITORY, 'node_modules', '.bin', 'nx');
  return execFileSync(bin, args, { cwd: REPOSITORY, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** The projects that a change of these files affects, without the scope of their names. */
function affected(...files: string[]): string[] {
  const projects = JSON.parse(nx('show', 'projects', '--affected', `--files=${files.join()}`, '--json')) as string[];
  return projects.map((name) => name.replace('@coordinator/', '')).sort();
}

interface Node {
  readonly data: { readonly targets: Readonly<Record<string, { readonly cache?: boolean }>> };
}

describe('a change affects', () => {
  test('the tests of the docs where only documents change, and those have nothing to build', () => {
    expect(affected('README.md', 'docs/guides/run-it.md', 'docs/reference/errors.md')).toEqual(['docs']);
    const { targets } = JSON.parse(nx('show', 'project', '@coordinator/docs', '--json')) as { targets: object };
    expect(Object.keys(targets)).toEqual(expect.arrayContaining(['lint', 'test', 'typecheck']));
    expect(Object.keys(targets)).not.toContain('build');
  }, 60_000);

  test('what is built on an extension, and no other extension and no lib', () => {
    const apps = ['coordinator-api', 'coordinator-worker', 'sandbox'];
    const dependants = ['installed-extensions', ...apps, 'tools', 'bench', 'e2e', 'prove'];
    expect(affected('extensions/segment/src/tasks.ts')).toEqual(['extension-segment', ...dependants].sort());
  }, 60_000);
});

test('whatever verify runs is not run again while nothing of it has changed', () => {
  const { graph } = JSON.parse(nx('graph', '--file=stdout')) as { graph: { nodes: Record<string, Node> } };
  const verified = new Set(['lint', 'typecheck', 'test', 'build']);
  const forgotten = Object.entries(graph.nodes).flatMap(([project, { data }]) =>
    Object.entries(data.targets).flatMap(([name, { cache }]) => (verified.has(name) && !cache ? [project, name] : [])),
  );
  expect(forgotten).toEqual([]);
}, 60_000);
