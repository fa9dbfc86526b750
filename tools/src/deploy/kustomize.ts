import { spawnSync } from 'node:child_process';
import { parseYaml } from './yaml-file.ts';
import type { Manifest } from './kubernetes-schema.ts';

const COMMANDS: readonly [command: string, ...args: string[]][] = [
  ['kustomize', 'build'],
  ['kubectl', 'kustomize'],
];

/**
 * What a folder with a kustomization.yaml becomes; undefined where neither kustomize nor kubectl is installed.
 *
 * @throws Error with what kustomize says when it cannot be built
 */
export function kustomize(folder: string): Manifest[] | undefined {
  for (const [command, ...args] of COMMANDS) {
    const { error, status, stdout, stderr } = spawnSync(command, [...args, folder], { encoding: 'utf8' });
    if (error) continue;
    if (status !== 0) throw new Error(`${command} could not build ${folder}: ${stderr}`);
    return parseYaml(stdout) as Manifest[];
  }
  return undefined;
}
