import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ROOT = '/sys/fs/cgroup';
let made = 0;

/**
 * A memory cgroup of Linux: its processes get so much memory together, and the kernel kills the one that asks for more.
 * Needs the right to make one. Source: https://docs.kernel.org/admin-guide/cgroup-v1/memory.html and ../cgroup-v2.html
 */
export class MemoryGroup {
  /** File that takes the ids of processes that are to belong to it. */
  readonly processes: string;
  readonly #folder: string;
  readonly #kills: string;

  /** Makes one. @throws Error where that is not possible */
  constructor(bytes: number) {
    const { parent, limit, swap, kills } = hierarchy();
    this.#folder = join(parent, `coordinator-prove-${process.pid}-${made++}`);
    this.processes = join(this.#folder, 'cgroup.procs');
    this.#kills = join(this.#folder, kills);
    mkdirSync(this.#folder);
    try {
      // In a cgroup these files are there already, or never.
      writeFileSync(join(this.#folder, limit), String(bytes), { flag: 'r+' });
      // Else memory would only move to where the limit does not count.
      if (existsSync(join(this.#folder, swap))) writeFileSync(join(this.#folder, swap), '0', { flag: 'r+' });
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  /** How many of its processes the kernel has killed for their memory. */
  get kills(): number {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync(this.#kills, 'utf8'))?.[1]);
  }

  /** Takes it away; its processes have to have ended. */
  remove(): void {
    rmdirSync(this.#folder);
  }
}

/** Where groups can be made, and what their files are called, in the version of cgroups that this machine has. */
function hierarchy() {
  const own = readFileSync('/proc/self/cgroup', 'utf8');
  const first = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m.exec(own)?.[1];
  if (first !== undefined) {
    const parent = join(ROOT, 'memory', first);
    const files = { limit: 'memory.limit_in_bytes', swap: 'memory.swappiness', kills: 'memory.oom_control' };
    // A container may see its own group as the root.
    return { parent: existsSync(parent) ? parent : join(ROOT, 'memory'), ...files };
  }
  const second = /^0::(.*)$/m.exec(own)?.[1] ?? '/';
  // A group that has processes has no groups: ours are made beside the one that we are in.
  const files = { limit: 'memory.max', swap: 'memory.swap.max', kills: 'memory.events' };
  return { parent: join(ROOT, dirname(second)), ...files };
}
