import type { Logger } from '@coordinator/logging';
import { recordLoopBlocked } from '@coordinator/tracing';
import { once } from 'node:events';
import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { RedisTlsFiles } from '../bee-queue/redis-tls.ts';
import type { Claim, Hold, StopOrder } from '../queue-backend.ts';
import { Pulse } from './pulse.ts';
import { SharedHolds } from './shared-holds.ts';

/** What a Heartbeat needs. */
export interface HeartbeatOptions {
  readonly redisUrl: string;
  /** For `rediss://`. */
  readonly redisTls?: RedisTlsFiles | undefined;
  readonly keyPrefix: string;
  readonly leaseMs: number;
  readonly release: string;
  readonly log: Logger;
  /** How many attempts may run at once. */
  readonly slots: number;
  /** What runs now, by queue. */
  readonly holds: () => ReadonlyMap<string, readonly Hold[]>;
  /** Called for each attempt that is to stop; again and again while its lease is over and cannot be renewed. */
  readonly onStop: (order: StopOrder) => void;
  /** Called when the thread has died: nobody keeps the leases any more. */
  readonly onFailure: (reason: Error) => void;
}

/** What the thread is given. */
export interface HeartbeatThreadData extends Pick<
  HeartbeatOptions,
  'redisUrl' | 'redisTls' | 'keyPrefix' | 'leaseMs' | 'release'
> {
  readonly beatMs: number;
  readonly pulse: SharedArrayBuffer;
  readonly holds: SharedArrayBuffer;
}

/** What the thread says. */
export interface HeartbeatThreadMessage {
  readonly orders: readonly StopOrder[];
}

/** Also how long it takes at most until a running job hears that it is cancelled. */
const MAX_BEAT_MS = 2_000;
const PULSE_EVERY_MS = 100;
const BLOCKED_MS = 1_000;

// From the sources, as in tests, the thread needs their transform; released code is JavaScript.
const extension = extname(__filename);
const execArgv = extension === '.ts' ? ['--conditions=@coordinator/source', '--require', '@swc-node/register'] : [];

/** Keeps the leases of a process alive, and watches its event loop, from a thread of its own. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #pulse = new Pulse();
  readonly #holds: SharedHolds;
  readonly #beatMs: number;
  #thread: Worker | undefined;
  #timers: NodeJS.Timeout[] = [];
  #stopped = false;
  #lastBeatAt = 0;
  #lastCpu = process.cpuUsage();

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#holds = new SharedHolds(options.slots);
    this.#beatMs = Math.min(options.leaseMs / 3, MAX_BEAT_MS);
  }

  /** Resolves when the thread is there: before that, nobody would keep the lease of a job. */
  async start(): Promise<void> {
    this.#lastBeatAt = performance.now();
    this.#timers = [
      setInterval(() => this.#beat(), PULSE_EVERY_MS),
      setInterval(() => this.#write(), this.#beatMs / 2),
    ];
    await this.#startThread();
  }

  /** Has the leases of new claims kept from now on: the handler of the first may block the event loop. */
  claimed(claims: readonly Claim[]): void {
    const queue = claims[0]?.queue;
    if (queue === undefined) return;
    if (this.#holds.add(queue, claims)) return;
    this.#write();
    this.#holds.add(queue, claims);
  }

  /** Notes that a handler is about to run, to be named when the event loop stands still. */
  started(task: string, jobId: string): void {
    this.#pulse.lastStarted = { task, jobId };
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers) clearInterval(timer);
    await this.#thread?.terminate();
  }

  #write(): void {
    try {
      this.#holds.replace(this.#options.holds());
    } catch (error) {
      this.#options.onFailure(error as Error);
    }
  }

  async #startThread(): Promise<void> {
    const { redisUrl, redisTls, keyPrefix, leaseMs, release, onStop, onFailure } = this.#options;
    const shared = { pulse: this.#pulse.buffer, holds: this.#holds.buffer };
    const data = { redisUrl, redisTls, keyPrefix, leaseMs, release, beatMs: this.#beatMs, ...shared };
    const thread = new Worker(join(__dirname, `heartbeat-thread${extension}`), {
      workerData: data satisfies HeartbeatThreadData,
      execArgv,
    });
    this.#thread = thread;
    thread.on('error', onFailure);
    thread.on('exit', (code) => {
      if (!this.#stopped) onFailure(new Error(`The heartbeat thread ended with exit code ${code}`));
    });
    thread.on('message', ({ orders }: HeartbeatThreadMessage) => orders.forEach(onStop));
    await once(thread, 'message');
  }

  #beat(): void {
    this.#pulse.beat();
    const now = performance.now();
    const blockedMs = now - this.#lastBeatAt - PULSE_EVERY_MS;
    const cpu = process.cpuUsage(this.#lastCpu);
    this.#lastBeatAt = now;
    this.#lastCpu = process.cpuUsage();
    if (blockedMs < BLOCKED_MS) return;
    const started = this.#pulse.lastStarted;
    recordLoopBlocked({ task: started.task, blockedMs });
    // Little CPU time tells a process that was frozen or starved from one that was busy.
    const cpuMs = Math.round((cpu.user + cpu.system) / 1_000);
    this.#options.log.warn({ ...started, blockedMs: Math.round(blockedMs), cpuMs }, 'the event loop stood still');
  }
}
