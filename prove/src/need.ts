import { spawnSync } from 'node:child_process';
import { fakeTimeLibrary } from './stack/fake-time.ts';
import { MemoryGroup } from './stack/memory-group.ts';

/** What some proofs cannot do without, or cannot do as well. */
export type Need = 'root' | 'strace' | 'mount' | 'libfaketime' | 'netns' | 'memory-cgroup';

const TESTS: Readonly<Record<Need, () => boolean>> = {
  root: () => process.getuid?.() === 0,
  strace: () => runs('strace', '-qq', 'true'),
  // Root in a container often may not.
  mount: () => runs('unshare', '--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'),
  libfaketime: () => fakeTimeLibrary() !== undefined,
  netns: () => runs('unshare', '--net', 'ip', 'link', 'add', 'probe', 'type', 'veth'),
  'memory-cgroup': canLimitMemory,
};

const NAMES: Readonly<Record<Need, string>> = {
  root: 'root',
  strace: 'strace',
  mount: 'the right to mount file systems',
  libfaketime: 'libfaketime',
  netns: 'the right to make networks (ip netns)',
  'memory-cgroup': 'the right to make memory cgroups',
};

/** Those of the needs that this machine does not meet, for people. */
export function unmet(needs: readonly Need[]): string[] {
  return needs.filter((need) => !TESTS[need]()).map((need) => NAMES[need]);
}

/** Whether this machine meets a need, for a proof that has another way where it does not. */
export function meets(need: Need): boolean {
  return TESTS[need]();
}

function canLimitMemory(): boolean {
  try {
    new MemoryGroup(2 ** 30).remove();
    return true;
  } catch {
    return false;
  }
}

function runs(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore', timeout: 10_000 }).status === 0;
}
