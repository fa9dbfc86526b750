import { REPOSITORY } from '@coordinator/tools';
import { findRedisServer } from '@coordinator/task-testing';
import { execFile } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const GUIDE = join(REPOSITORY, 'docs', 'guides', 'run-it.md');
/** Where npm run builds first, on a busy machine. */
const LONGEST_MS = 120_000;

/** Does what docs/guides/run-it.md says, with the commands that stand there. */
export class GuideCommands {
  readonly #folder: string;
  readonly #env: NodeJS.ProcessEnv;

  private constructor(folder: string, env: NodeJS.ProcessEnv) {
    this.#folder = folder;
    this.#env = env;
  }

  /**
   * Undefined where the tools of Redis are missing that the guide takes.
   *
   * @param folder a new one, in which the commands leave their files
   */
  static async at(redisUrl: string, folder: string, env: NodeJS.ProcessEnv): Promise<GuideCommands | undefined> {
    const redis = await findRedisServer();
    const tools = dirname(redis.path);
    if (!['redis-cli', 'redis-check-aof'].every((tool) => existsSync(join(tools, tool)))) return undefined;
    // Whoever follows the guide has a redis-cli that leads to his Redis.
    const bin = join(folder, 'bin');
    await mkdir(bin);
    await writeFile(join(bin, 'redis-cli'), `#!/bin/sh\nexec "${join(tools, 'redis-cli')}" -u "${redisUrl}" "$@"\n`);
    await chmod(join(bin, 'redis-cli'), 0o755);
    const path = [bin, tools, dirname(process.execPath), process.env.PATH].join(delimiter);
    return new GuideCommands(folder, { ...redis.env, ...env, PATH: path, REDIS_URL: redisUrl });
  }

  /**
   * Runs the block of commands whose first line is that comment, and returns what they print. @throws Error with their
   * output when the last one fails
   *
   * @param more variables that the guide leaves to the reader
   */
  async run(comment: string, more: NodeJS.ProcessEnv = {}): Promise<string> {
    const commands = blockUnder(comment);
    const { stdout } = await run('bash', ['-uc', commands], {
      cwd: /^npm run/m.test(commands) ? REPOSITORY : this.#folder,
      env: { ...this.#env, ...more },
      timeout: LONGEST_MS,
    });
    return stdout;
  }
}

function blockUnder(comment: string): string {
  const blocks = readFileSync(GUIDE, 'utf8').matchAll(/^```sh\n([^]*?)^```$/gm);
  const [found] = Array.from(blocks, ([, text = '']) => text).filter((text) => text.startsWith(`# ${comment}`));
  if (found === undefined) throw new Error(`docs/guides/run-it.md has no commands under "# ${comment}"`);
  return found;
}
