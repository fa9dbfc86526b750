import { silentLogger } from '@coordinator/logging';
import { eventually, findRedisServer, freePort, tiedToParent } from '@coordinator/task-testing';
import { RedisConnection } from '@coordinator/tasks';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MASTER = 'coordinator';
const DOWN_AFTER_MS = 1_000;
const FAILOVER_TIMEOUT_MS = 5_000;

/** One Sentinel, which stands for as many as have to agree: promotes the replica of a master that does not answer. */
export class Sentinel {
  readonly #child: ChildProcess;
  readonly #dir: string;
  readonly #connection: RedisConnection;

  private constructor(child: ChildProcess, dir: string, url: string) {
    this.#child = child;
    this.#dir = dir;
    this.#connection = new RedisConnection({ url, log: silentLogger, commandDeadlineMs: 2_000 });
  }

  /** Starts one. @param masterPort where the master is reached now */
  static async start(masterPort: number): Promise<Sentinel> {
    const dir = await mkdtemp(join(tmpdir(), 'coordinator-sentinel-'));
    const port = await freePort();
    const file = join(dir, 'sentinel.conf');
    const lines = [
      ...[`port ${port}`, 'bind 127.0.0.1', `dir ${dir}`],
      `sentinel monitor ${MASTER} 127.0.0.1 ${masterPort} 1`,
      `sentinel down-after-milliseconds ${MASTER} ${DOWN_AFTER_MS}`,
      `sentinel failover-timeout ${MASTER} ${FAILOVER_TIMEOUT_MS}`,
    ];
    await writeFile(file, lines.join('\n'));
    const binary = await findRedisServer();
    const [command, args] = tiedToParent(binary.path, [file, '--sentinel']);
    const child = spawn(command, args, { env: binary.env, stdio: 'ignore' });
    const sentinel = new Sentinel(child, dir, `redis://127.0.0.1:${port}`);
    await sentinel.#connection.connect();
    return sentinel;
  }

  /** Port of the server that it holds to be the master. */
  async masterPort(): Promise<number> {
    const address = (await this.#connection.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER)) as string[];
    return Number(address[1]);
  }

  /** Waits until it knows of a replica, without which it cannot promote one. */
  async knowsReplica(): Promise<void> {
    await eventually(
      async () => {
        const replicas = (await this.#connection.command('SENTINEL', 'REPLICAS', MASTER)) as unknown[];
        if (replicas.length === 0) throw new Error('Sentinel knows of no replica');
      },
      { deadlineMs: 30_000, everyMs: 100 },
    );
  }

  async stop(): Promise<void> {
    this.#connection.close();
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGKILL');
      await once(this.#child, 'exit');
    }
    await rm(this.#dir, { recursive: true, force: true });
  }
}
