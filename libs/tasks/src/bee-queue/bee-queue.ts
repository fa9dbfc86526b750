import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import type { ConnectionOptions } from 'node:tls';
import Queue from 'bee-queue';

/** The part of bee-queue's bundled Redis client (node_redis 3) that the pop needs. */
export interface PopClient extends EventEmitter {
  readonly stream: { destroy(): void };
  brpoplpush(
    from: string,
    to: string,
    timeoutSeconds: number,
    done: (error: Error | null, id: string | null) => void,
  ): void;
  end(flush: boolean): void;
}

/** The inner face of bee-queue 2.0.0 that ReliableQueue builds on; bee-queue.test.ts fails when its code changes. */
interface BeeQueueClass {
  new (name: string, settings: Record<string, unknown>): BeeQueueInstance;
}

/** See {@link BeeQueueClass}. */
export interface BeeQueueInstance extends EventEmitter {
  readonly name: string;
  paused: boolean;
  readonly activeJobs: Set<Promise<unknown>>;
  bclient: PopClient | null;
  handler: (job: unknown) => Promise<unknown>;
  connect(): Promise<boolean>;
  process(concurrency: number, handler: (job: unknown) => Promise<unknown>): this;
  toKey(part: string): string;
  makeClient(clientName: string, createNew: boolean): Promise<unknown>;
  _waitForJob(): Promise<unknown>;
  _runJob(job: unknown): Promise<unknown>;
  _doStalledJobCheck(): Promise<number>;
}

/** bee-queue's Queue, typed as far as it is used here. */
export const BeeQueue = Queue as unknown as BeeQueueClass;

const nodeRedis = createRequire(require.resolve('bee-queue'))('redis') as {
  createClient(options: Record<string, unknown>): PopClient;
};

const RECONNECT_MS = 250;
// node_redis 3 gives a client up for good after this long, whatever its retry strategy says.
const NEVER_MS = 2 ** 31 - 1;

/** A client for blocking pops: it reconnects for ever, at an even pace, so no outage is too long. */
export function createPopClient(url: string, tls: ConnectionOptions | undefined): PopClient {
  return nodeRedis.createClient({
    url,
    ...(tls && { tls }),
    retry_strategy: () => Math.round(RECONNECT_MS * (0.5 + Math.random())),
    connect_timeout: NEVER_MS,
  });
}
