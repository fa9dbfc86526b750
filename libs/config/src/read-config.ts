import type { z } from 'zod';
import { ConfigError } from './config-error.ts';
import { rulesOf } from './rules.ts';
import { readVariable } from './variable.ts';

/**
 * What readConfig gives for a list of schemas: all their outputs in one object. The keys of a list whose members are
 * not known when compiling (those of installed extensions) are `unknown`.
 */
export type Config<S extends readonly z.ZodObject[]> = S extends readonly [
  infer Head extends z.ZodObject,
  ...infer Rest extends readonly z.ZodObject[],
]
  ? z.output<Head> & Config<Rest>
  : S extends readonly []
    ? unknown
    : Readonly<Record<string, unknown>>;

/**
 * Reads the environment once. Every key of every schema is the name of a variable; for each variable X, X_FILE may
 * name a file that holds the value. An empty variable counts as unset.
 * @param env default process.env
 * @throws {ConfigError} with the faults of all schemas at once
 */
export function readConfig<const S extends readonly z.ZodObject[]>(
  schemas: S,
  env: NodeJS.ProcessEnv = process.env,
): Config<S> {
  const faults = new Set<string>();
  const config: Record<string, unknown> = {};
  const owners = new Map<string, z.ZodType>();
  const given = new Map<string, string>();

  for (const schema of schemas) {
    const texts: Record<string, string> = {};
    const faulty = new Set<string>();
    for (const [name, field] of Object.entries(schema.shape)) {
      // Without this the later schema would silently change what the earlier one has declared, such as REDIS_URL.
      if (owners.has(name) && owners.get(name) !== field) faults.add(`${name} is declared by two schemas: rename one`);
      owners.set(name, field as z.ZodType);
      const { text, fault } = readVariable(name, env);
      if (text !== undefined) given.set(name, (texts[name] = text));
      if (fault === undefined) continue;
      faulty.add(name);
      faults.add(`${name} ${fault}`);
    }
    const result = schema.safeParse(texts);
    if (result.success) Object.assign(config, result.data);
    for (const issue of result.error?.issues ?? []) {
      const name = String(issue.path[0] ?? 'configuration');
      if (!faulty.has(name)) faults.add(`${name} ${sentence(name, issue.message, schema, texts)}`);
    }
  }

  for (const name of given.keys()) {
    for (const rule of rulesOf(owners.get(name) as z.ZodType)) {
      const fault = rule(given);
      if (fault !== undefined) faults.add(`${name} ${fault}`);
    }
  }
  if (faults.size > 0) throw new ConfigError([...faults]);
  return config as Config<S>;
}

/** Completes "NAME …": a missing variable gets an instruction instead of zod's words about undefined. */
function sentence(name: string, message: string, schema: z.ZodObject, texts: Record<string, string>): string {
  const field = schema.shape[name] as z.ZodType | undefined;
  const meaning = field?.description ? ` (${field.description})` : '';
  const missing = field !== undefined && texts[name] === undefined;
  return missing ? `is not set: set ${name} or ${name}_FILE${meaning}` : `${message}${meaning}`;
}
