import { staleReferences, type WorkspaceFiles } from './references.ts';

/** What Nx hands to a sync generator, as far as it is needed here. */
interface Tree extends WorkspaceFiles {
  write(path: string, content: string): void;
}

/**
 * Sync generator: `nx sync` runs it and writes what it changed, `nx sync:check` fails where it would change something. The
 * stock one follows every import, tests included, and so builds a circle: the tests of libs/tasks use libs/task-testing.
 */
export default function references(tree: Tree): { outOfSyncMessage?: string } {
  const stale = staleReferences(tree);
  for (const [path, content] of stale) tree.write(path, content);
  if (stale.size === 0) return {};
  return { outOfSyncMessage: `References that are not what package.json says: ${[...stale.keys()].join(', ')}` };
}
