import { findRedisServer, freePort, startRedis, type RedisServer } from '@coordinator/task-testing';
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * A Redis on a host of its own: a network namespace, joined to ours by a bridge that stays when the host is gone, so that
 * what is sent to it finds nobody and is answered by nobody. Needs the right to make networks.
 */
export class RedisHost {
  /** The server on it. */
  redis!: RedisServer;
  readonly #dir: string;
  // Names of network devices have 15 characters at most.
  readonly #name = `ccp${process.pid}`;
  readonly #bridge = `${this.#name}b`;
  readonly #cable = `${this.#name}c`;
  /** 198.18.0.0/15 is kept free for tests of network devices: RFC 2544. */
  readonly #net = `198.18.${process.pid % 256}`;

  private constructor(dir: string) {
    this.#dir = dir;
  }

  /** Builds the host and starts Redis on it. */
  static async start(): Promise<RedisHost> {
    const host = new RedisHost(await mkdtemp(join(tmpdir(), 'coordinator-host-')));
    try {
      await ip('link', 'add', host.#bridge, 'type', 'bridge');
      await ip('addr', 'add', `${host.#net}.1/30`, 'dev', host.#bridge);
      await ip('link', 'set', host.#bridge, 'up');
      await host.#build();
      await host.#startRedis();
      return host;
    } catch (error) {
      await host.stop();
      throw error;
    }
  }

  /** Its cable is cut first, so that not even the end of Redis is heard of; then host and network are gone. */
  async vanish(): Promise<void> {
    await ip('link', 'del', this.#cable);
    await this.redis.kill('SIGKILL');
    await ip('netns', 'del', this.#name);
  }

  /** The host is built anew, under its address and with its data, and knows of no connection; resolves when Redis answers. */
  async comeBack(): Promise<void> {
    await this.#build();
    await this.redis.restart();
  }

  async stop(): Promise<void> {
    await this.redis?.stop();
    for (const words of [
      ['netns', 'del', this.#name],
      ['link', 'del', this.#bridge],
    ]) {
      await ip(...words).catch(() => undefined);
    }
    await rm(this.#dir, { recursive: true, force: true });
  }

  async #build(): Promise<void> {
    const inside = ['-n', this.#name];
    await ip('netns', 'add', this.#name);
    await ip('link', 'add', this.#cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', this.#name);
    await ip('link', 'set', this.#cable, 'master', this.#bridge);
    await ip('link', 'set', this.#cable, 'up');
    await ip(...inside, 'addr', 'add', `${this.#net}.2/30`, 'dev', 'eth0');
    await ip(...inside, 'link', 'set', 'eth0', 'up');
    await ip(...inside, 'link', 'set', 'lo', 'up');
  }

  async #startRedis(): Promise<void> {
    const binary = await findRedisServer();
    // Both are replaced by what they start, so that the process keeps its id.
    const path = join(this.#dir, 'redis-server');
    await writeFile(path, `#!/bin/sh\nexec ip netns exec ${this.#name} ${binary.path} "$@"\n`);
    await chmod(path, 0o755);
    const where = { host: `${this.#net}.2`, port: await freePort() };
    this.redis = await startRedis({ ...where, binary: { ...binary, path }, args: ['--protected-mode', 'no'] });
  }
}

async function ip(...words: readonly string[]): Promise<void> {
  await run('ip', [...words]);
}
