import type { LockedPackages } from '../locked-packages.ts';

/**
 * A line for each npm package of the lock that could be another one on the next machine: without a SHA-512 of its content,
 * or bound to a host or a git repository rather than to the registry that whoever installs it has configured.
 */
export function lockFaults(packages: LockedPackages): string[] {
  return Object.entries(packages).flatMap(([folder, { integrity, resolved, link }]) => {
    if (!folder.includes('node_modules/') || link) return [];
    if (resolved !== undefined) return [`${folder} is bound to ${resolved}`];
    return integrity?.startsWith('sha512-') ? [] : [`${folder} has no sha512 integrity`];
  });
}
