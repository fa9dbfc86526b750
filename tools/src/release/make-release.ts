import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withEntry } from './changelog.ts';
import type { Git } from './git.ts';
import type { ReleasePlan } from './release-plan.ts';

/**
 * Writes the version into all packages and the lock, the entry into CHANGELOG.md, and makes the commit and its tag. Wants a
 * clean checkout; where a step fails, the checkout is as it was.
 *
 * @throws Error with what the step said that failed
 */
export function makeRelease(git: Git, { version, tag, changelog }: ReleasePlan): void {
  const head = git.run('rev-parse', 'HEAD');
  try {
    writeVersion(git.folder, version);
    const file = join(git.folder, 'CHANGELOG.md');
    writeFileSync(file, withEntry(existsSync(file) ? readFileSync(file, 'utf8') : '', changelog));
    git.run('add', '--all');
    git.run('commit', '--quiet', '--message', `build(release): ${tag}`);
    // By its own rules git would take the headings of the changelog for comments.
    git.feed(`${tag}\n\n${changelog}`, 'tag', '--annotate', '--cleanup=whitespace', '--file=-', tag);
  } catch (error) {
    git.run('add', '--all');
    git.run('reset', '--quiet', '--hard', head);
    const { stderr, stdout, message } = error as Error & { stderr?: string; stdout?: string };
    throw new Error(`Nothing was released, everything is as it was:\n${stderr || stdout || message}`, { cause: error });
  }
}

/** The group of nx.json: all packages get the version, and depend on each other at exactly it. */
function writeVersion(folder: string, version: string): void {
  const nx = join(folder, 'node_modules', '.bin', 'nx');
  execFileSync(nx, ['release', 'version', version, '--git-commit=false', '--git-tag=false', '--stage-changes=false'], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, NX_DAEMON: 'false' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}
