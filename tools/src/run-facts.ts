import { execFileSync } from 'node:child_process';
import { arch, availableParallelism, cpus, platform, totalmem } from 'node:os';
import { findRedisServer } from '@coordinator/task-testing';
import { REPOSITORY } from './repository.ts';

/** Where and when a run took place that is written down: what belongs to its figures. */
export interface RunFacts {
  /** Day of the run, UTC. */
  readonly date: string;
  readonly commit: string;
  readonly machine: string;
  readonly node: string;
  readonly redis: string;
}

/**
 * Collects them. Call it before the run: what is committed or changed meanwhile is not what was run.
 *
 * @throws RedisNotFoundError
 */
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

/** As they stand at the end of a report, in Markdown. */
export function listFacts({ machine, node, redis, commit }: RunFacts): string {
  return [`machine: ${machine}`, `Node: ${node}`, `Redis: ${redis}`, `commit: ${commit}`]
    .map((fact) => `- ${fact}`)
    .join('\n');
}
