import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { REPOSITORY } from '../repository.ts';

/** Absolute path of a file below `deploy/`. */
export const deployed = (path: string): string => join(REPOSITORY, 'deploy', path);

/** The documents of YAML text, with merge keys (`<<`) resolved as Compose does. @throws Error for text that is no YAML */
export function parseYaml(text: string): unknown[] {
  return parseAllDocuments(text, { merge: true }).map((document) => {
    if (document.errors[0]) throw document.errors[0];
    return document.toJS() as unknown;
  });
}

/** The documents of a YAML file below `deploy/`. */
export const readYaml = (path: string): unknown[] => parseYaml(readFileSync(deployed(path), 'utf8'));

/** The variables of a file of `NAME=value` lines below `deploy/`. */
export function readVariables(path: string): Record<string, string> {
  const lines = readFileSync(deployed(path), 'utf8').matchAll(/^([A-Z_]+)=(.*)$/gm);
  return Object.fromEntries(Array.from(lines, ([, name = '', value = '']) => [name, value]));
}
