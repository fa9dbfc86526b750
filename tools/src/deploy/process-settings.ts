import { apiConfig, coreConfig, readConfig, workerConfig } from '@coordinator/config';
import { installed } from '@coordinator/installed-extensions';
import { basename } from 'node:path';
import type { z } from 'zod';
import { deployed } from './yaml-file.ts';

const OWN_CONFIG = { api: apiConfig, worker: workerConfig };
/** The API reads what routes of extensions need, a worker what their handlers need. */
const OF_EXTENSIONS = { api: 'routeConfig', worker: 'config' } as const;

/** A process that is deployed with settings. */
export type DeployedProcess = keyof typeof OWN_CONFIG;

/** All that a process reads from its environment, with the extensions of this repository. */
const schemasOf = (of: DeployedProcess): readonly z.ZodObject[] => [
  coreConfig,
  OWN_CONFIG[of],
  ...installed.map((extension) => extension[OF_EXTENSIONS[of]]),
];

/** Names of an environment that the process does not read: they would be set in vain. */
export function namesInVain(of: DeployedProcess, env: Readonly<Record<string, string>>): string[] {
  const read = schemasOf(of).flatMap((schema) => Object.keys(schema.shape));
  return Object.keys(env).filter((name) => !read.includes(name.replace(/_FILE$/, '')) && !name.startsWith('OTEL_'));
}

/**
 * Reads an environment as the process does at its start. Secrets come from the files of the same name in
 * deploy/sandbox/secrets.
 *
 * @throws ConfigError with all that the process would complain about
 */
export function readAs(of: DeployedProcess, env: Readonly<Record<string, string>>): Record<string, unknown> {
  const local = Object.entries(env).map(([name, value]) => [name, name.endsWith('_FILE') ? localSecret(value) : value]);
  return readConfig(schemasOf(of), Object.fromEntries(local) as NodeJS.ProcessEnv);
}

/** The file in deploy/sandbox/secrets that stands for a mounted one. */
export const localSecret = (mounted: string): string => deployed(`sandbox/secrets/${basename(mounted)}`);
