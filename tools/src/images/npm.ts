import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const MOST_OUTPUT = 64 * 1024 * 1024;

/** Runs npm in a folder and gives what it printed. @throws Error with the complaint of npm */
export async function npm(folder: string, ...args: readonly string[]): Promise<string> {
  const cli = process.env.npm_execpath;
  // The npm that runs this command, where there is one: the first of PATH may be older.
  const [command, first] = cli?.endsWith('npm-cli.js') ? [process.execPath, [cli]] : ['npm', []];
  try {
    const options = { cwd: folder, maxBuffer: MOST_OUTPUT };
    const { stdout } = await run(command, [...first, ...args, '--loglevel=error'], options);
    return stdout;
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string };
    throw new Error(`npm ${args[0]} failed in ${folder}:\n${stderr.trim() || message}`, { cause: error });
  }
}
