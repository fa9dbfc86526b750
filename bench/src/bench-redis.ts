import { startRedis, type RedisServer } from '@coordinator/task-testing';
import { createClient } from 'redis';

/** The Redis that everything is measured on: private, and every write on disk before it is answered. */
export class BenchRedis {
  readonly #server: RedisServer;
  readonly #client;

  private constructor(server: RedisServer) {
    this.#server = server;
    this.#client = createClient({ url: server.url, RESP: 2 });
  }

  /** Starts it. @throws RedisNotFoundError when there is none on this machine */
  static async start(): Promise<BenchRedis> {
    // A rewrite of the append-only file would cost whoever is measured just then.
    const args = ['--auto-aof-rewrite-percentage', '0'];
    const redis = new BenchRedis(await startRedis({ appendfsync: 'always', args }));
    redis.#client.on('error', () => undefined);
    await redis.#client.connect();
    return redis;
  }

  get url(): string {
    return this.#server.url;
  }

  /** CPU time that the server has used since its start, in microseconds; fsync included. */
  async cpuMicros(): Promise<number> {
    const info = await this.#client.info('cpu');
    const seconds = (field: string) => Number(new RegExp(`^${field}:([\\d.]+)`, 'm').exec(info)?.[1]);
    return (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1e6;
  }

  /** Forgets all jobs, so that each window begins with the same Redis. */
  async empty(): Promise<void> {
    await this.#client.flushAll();
  }

  async stop(): Promise<void> {
    this.#client.destroy();
    await this.#server.stop();
  }
}
