import { readFileSync } from 'node:fs';

/** What the environment says about one variable: its text, nothing, or a fault that completes the sentence "X …". */
export type Variable = { text?: string; fault?: string };

/**
 * Reads variable `name` from `env`, or the file that `<name>_FILE` names (as mounted secrets are), without its last
 * line break. An empty text counts as unset, because that is what `X=` in a compose file or a unit file means.
 */
export function readVariable(name: string, env: NodeJS.ProcessEnv): Variable {
  const text = env[name];
  const file = env[`${name}_FILE`];
  if (!file) return text ? { text } : {};
  if (text) return { fault: `and ${name}_FILE are both set: unset one` };
  try {
    const content = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    return content ? { text: content } : {};
  } catch (error) {
    return { fault: `cannot be read from the file that ${name}_FILE names (${(error as NodeJS.ErrnoException).code})` };
  }
}
