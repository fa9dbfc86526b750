import assert from 'node:assert/strict';
import { SBOM_FILE } from '../app-tree.ts';
import type { Container } from './container.ts';

/** What a process in a container finds out about itself. */
interface Confinement {
  readonly user: number;
  readonly nodeMajor: string;
  /** Those it has and those it could get, as the kernel writes them. */
  readonly capabilities: readonly string[];
  readonly noNewPrivileges: string;
  /** Folders that it can write to. */
  readonly writable: readonly string[];
  readonly shells: readonly string[];
}

/** Checks that the process of a container may do nothing that it need not. @throws Error that shows what it may */
export async function checkConfinement(
  container: Container,
  { shellAllowed }: { shellAllowed: boolean },
): Promise<void> {
  const { shells, ...found } = await container.evaluate(confinement);
  const wanted = { user: 1000, nodeMajor: '24', capabilities: ['0', '0', '0'], noNewPrivileges: '1', writable: [] };
  assert.deepEqual(found, wanted, `${container.name} is not confined`);
  if (!shellAllowed) assert.deepEqual(shells, [], `${container.name} has a shell`);
}

/** Checks that the bill of materials in an image lists the packages in it, all of them and no others. @throws Error that shows both */
export async function checkBill(container: Container): Promise<void> {
  const { listed, present } = await container.evaluate(packages);
  assert.ok(present.length > 0, `${container.name} holds no packages`);
  assert.deepEqual(listed, present, `${SBOM_FILE} of ${container.name} does not list what is there`);
}

// Both run inside, from their source text: they can use nothing of this file.

function confinement(): Confinement {
  const fs = process.getBuiltinModule('node:fs');
  const status = fs.readFileSync('/proc/1/status', 'utf8');
  const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)?.[1] ?? 'unknown';
  const canWrite = (folder: string) => {
    try {
      fs.writeFileSync(`${folder}/written`, '');
      return true;
    } catch {
      return false;
    }
  };
  return {
    user: Number(field('Uid')),
    nodeMajor: process.versions.node.split('.')[0] ?? '',
    capabilities: ['CapEff', 'CapPrm', 'CapBnd'].map((set) => field(set).replace(/^0+(?=.)/, '')),
    noNewPrivileges: field('NoNewPrivs'),
    writable: ['/', '/app', '/app/node_modules', '/home', '/tmp', '/var/tmp'].filter(canWrite),
    shells: ['/bin/sh', '/usr/bin/sh', '/bin/bash', '/busybox/sh'].filter((shell) => fs.existsSync(shell)),
  };
}

function packages(): { readonly listed: readonly string[]; readonly present: readonly string[] } {
  const fs = process.getBuiltinModule('node:fs');
  const found = new Map<string, string>();
  const readJson = (file: string) => JSON.parse(fs.readFileSync(file, 'utf8'));
  const visit = (nodeModules: string) => {
    if (!fs.existsSync(nodeModules)) return;
    for (const name of fs.readdirSync(nodeModules)) {
      if (name.startsWith('@')) visit(`${nodeModules}/${name}`);
      else {
        // Packages of ours are links, and may hold packages of others in turn.
        const folder = fs.realpathSync(`${nodeModules}/${name}`);
        if (found.has(folder)) continue;
        const manifest = readJson(`${folder}/package.json`);
        found.set(folder, `${manifest.name}@${manifest.version}`);
        visit(`${folder}/node_modules`);
      }
    }
  };
  visit('/app/node_modules');
  const { components } = readJson('/app/sbom.cdx.json');
  const listed = components.map(({ name, version }: { name: string; version: string }) => `${name}@${version}`);
  return { listed: [...new Set<string>(listed)].sort(), present: [...new Set(found.values())].sort() };
}
