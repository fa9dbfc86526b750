import { execFileSync } from 'node:child_process';
import { arch, availableParallelism, cpus, platform, totalmem } from 'node:os';
import { resolve } from 'node:path';
import type { BenchRedis } from '../bench-redis.ts';

/** What belongs to the figures of a run. */
export interface RunFacts {
  /** Day of the run, UTC. */
  readonly date: string;
  readonly command: string;
  /** Name and value: machine, versions, commit. */
  readonly facts: readonly (readonly [name: string, value: string])[];
}

/** Collects them. */
export async function runFacts(redis: BenchRedis): Promise<RunFacts> {
  const args = process.argv.slice(2);
  const model = cpus()[0]?.model.trim() || 'unknown processor';
  const memoryGiB = Math.round(totalmem() / 2 ** 30);
  return {
    date: new Date().toISOString().slice(0, 10),
    command: ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' '),
    facts: [
      ['machine', `${model}, ${availableParallelism()} cores, ${memoryGiB} GiB, ${platform()} ${arch()}`],
      ['Node', process.versions.node],
      ['Redis', `${await redis.version()}, appendfsync always`],
      ['commit', commit()],
    ],
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
  const cwd = resolve(__dirname, '../../..');
  return execFileSync('git', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}
