import { execFileSync } from 'node:child_process';
import { arch, availableParallelism, cpus, platform, totalmem } from 'node:os';
import { findRedisServer } from '@coordinator/task-testing';
import { REPOSITORY } from '@coordinator/tools';

/** What belongs to the results of a run. */
export interface RunFacts {
  /** Day of the run, UTC. */
  readonly date: string;
  readonly commit: string;
  readonly machine: string;
  readonly node: string;
  readonly redis: string;
}

/** Collects them. */
export async function runFacts(): Promise<RunFacts> {
  const model = cpus()[0]?.model.trim() || 'unknown processor';
  const memoryGiB = Math.round(totalmem() / 2 ** 30);
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: commit(),
    machine: `${model}, ${availableParallelism()} cores, ${memoryGiB} GiB, ${platform()} ${arch()}`,
    node: process.versions.node,
    redis: `${(await findRedisServer()).version}, appendfsync always`,
  };
}

function commit(): string {
  try {
    const id = git('rev-parse', '--short=12', 'HEAD');
    return git('status', '--porcelain') === '' ? id : `${id}, with changes that were not committed`;
  } catch {
    return 'none';
  }
}

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: REPOSITORY, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}
