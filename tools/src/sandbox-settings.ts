import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Settings that point the extensions at the fakes of a sandbox, as the sandbox itself tells them (`--print-env`) when it is
 * started with `env`, SANDBOX_PORT included.
 *
 * @throws Error with what it printed when it cannot tell.
 */
export async function sandboxSettings(main: string, env: NodeJS.ProcessEnv): Promise<Record<string, string>> {
  const { stdout } = await run(process.execPath, [main, '--print-env'], { env, timeout: 30_000 });
  return parseSettings(stdout);
}

/** Reads `NAME=value` lines; other lines are left out, and a value may hold `=`. */
export function parseSettings(text: string): Record<string, string> {
  const found = [...text.matchAll(/^([A-Z][A-Z0-9_]*)=(.*)$/gm)];
  return Object.fromEntries(found.map(([, name = '', value = '']) => [name, value.trimEnd()]));
}
