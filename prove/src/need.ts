import { spawnSync } from 'node:child_process';

/** What some proofs cannot do without. */
export type Need = 'root' | 'strace' | 'mount' | 'libfaketime' | 'netns';

const TESTS: Readonly<Record<Need, () => boolean>> = {
  root: () => process.getuid?.() === 0,
  strace: () => runs('strace', '-qq', 'true'),
  // Root in a container often may not.
  mount: () => runs('unshare', '--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'),
  libfaketime: () => runs('faketime', '-f', '+1h', 'true'),
  netns: () => runs('unshare', '--net', 'ip', 'link', 'add', 'probe', 'type', 'veth'),
};

const NAMES: Readonly<Record<Need, string>> = {
  root: 'root',
  strace: 'strace',
  mount: 'the right to mount file systems',
  libfaketime: 'libfaketime',
  netns: 'the right to make networks (ip netns)',
};

/** Those of the needs that this machine does not meet, for people. */
export function unmet(needs: readonly Need[]): string[] {
  return needs.filter((need) => !TESTS[need]()).map((need) => NAMES[need]);
}

function runs(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore', timeout: 10_000 }).status === 0;
}
