import { execFile } from 'node:child_process';
import { basename, extname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const APPS = resolve(__dirname, '../../../apps');
/** `dist`, or `src` when the benchmark itself runs from its sources. */
const BUILT = basename(resolve(__dirname, '..'));

/** The API as it is deployed, without the ending of the file. */
export const OUR_SCRIPT = join(APPS, 'coordinator-api', BUILT, 'main');

/** With the flags that it is deployed with. */
export const OUR_FLAGS = ['--disable-proto=delete', '--enable-source-maps'];

/** The variables of the installed extensions, as the sandbox tells them; nothing listens at the addresses in them. */
export async function ourEnvironment(): Promise<NodeJS.ProcessEnv> {
  const sandbox = join(APPS, 'sandbox', BUILT, `main${extname(__filename)}`);
  const { stdout } = await promisify(execFile)(process.execPath, [...process.execArgv, sandbox, '--print-env']);
  return Object.fromEntries(
    [...stdout.matchAll(/^([A-Z][A-Z0-9_]*)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value.trimEnd()]),
  );
}
