import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { AppImage } from './app-image.ts';
import type { AppTree } from './app-tree.ts';

const run = promisify(execFile);

/** What the names of the labels begin with. */
export const LABEL = 'org.opencontainers.image.';

/** What is built into every image besides the packages of its app. */
const BUILT_WITH = ['package-lock.json', 'deploy/images', 'tools/src/images'];

/**
 * The labels of an image: https://github.com/opencontainers/image-spec/blob/main/annotations.md
 *
 * `version` is what the processes tell as their release. `revision` and `created` are of the last commit that changed
 * anything the image is made of, so that other commits leave the image as it is; `-dirty` stands behind a revision with
 * changes that are not committed. What git does not know is left out, and so is a base that is not told.
 */
export async function imageLabels(
  image: AppImage,
  tree: Pick<AppTree, 'release' | 'folders'>,
  { workspace, base }: { workspace: string; base: string | undefined },
): Promise<Record<string, string>> {
  const paths = [...tree.folders, ...BUILT_WITH];
  const [sha, created] = (await git(workspace, 'log', '-1', '--format=%H %cI', '--', ...paths))?.split(' ') ?? [];
  const dirty = await git(workspace, 'status', '--porcelain', '--', ...paths);
  const [baseName, baseDigest] = base?.split('@') ?? [];
  const labels = {
    title: image.name,
    description: image.description,
    licenses: 'Apache-2.0',
    version: tree.release,
    revision: sha && `${sha}${dirty ? '-dirty' : ''}`,
    created,
    source: sourceUrl((await git(workspace, 'remote', 'get-url', 'origin')) ?? ''),
    'base.name': baseName,
    'base.digest': baseDigest,
  };
  return Object.fromEntries(
    Object.entries(labels).flatMap(([key, value]) => (value ? [[`${LABEL}${key}`, value]] : [])),
  );
}

/** Where people can read the sources, from the address of a git remote; undefined for a folder. Credentials are left out. */
export function sourceUrl(remote: string): string | undefined {
  const found = /^(?:https?:\/\/|ssh:\/\/)?(?:[^@/]*@)?([\w.-]+\.[a-z]+)(?::\d+\/|[:/])(.+?)(?:\.git)?\/?$/i.exec(
    remote,
  );
  return found ? `https://${found[1]}/${found[2]}` : undefined;
}

async function git(workspace: string, ...args: readonly string[]): Promise<string | undefined> {
  try {
    const { stdout } = await run('git', [...args], { cwd: workspace });
    return stdout.trim() || undefined;
  } catch {
    return undefined;
  }
}
