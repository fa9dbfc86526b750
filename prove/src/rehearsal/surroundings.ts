import { Git } from '@coordinator/tools';

/** Why a release cannot be rehearsed from this folder, each with what to do; empty where nothing speaks against it. */
export function rehearsalRefusals(folder: string): string[] {
  const git = new Git(folder);
  if (git.ask('--version') === undefined) return ['There is no git here: install it.'];
  if (git.ask('rev-parse', '--verify', '--quiet', 'HEAD') === undefined) {
    return [`${folder} is no git checkout with a commit in it: a rehearsal begins with a git clone of one.`];
  }
  const refusals: string[] = [];
  if (git.cleanTree() === undefined) {
    refusals.push(
      'There are changes that are not committed, and what is rehearsed is what is committed; git status lists them. Commit or stash them.',
    );
  }
  if (git.ask('rev-parse', '--is-shallow-repository') === 'true') {
    refusals.push('This clone is shallow, and a version is made of all commits: git fetch --unshallow --tags first.');
  }
  return refusals;
}

const UNREACHABLE = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|ENOTCACHED/;

/** The message of an error for who rehearses: whether npm was left without its registry, too. */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (!/^npm\b/.test(message) || !UNREACHABLE.test(message)) return message;
  return `npm has not reached its registry, and its cache lacks a package that API or worker need: go online, or use a machine on which npm ci has run before.\n${message}`;
}
