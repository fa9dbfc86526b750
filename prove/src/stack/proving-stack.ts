import { silentLogger } from '@coordinator/logging';
import { eventually, startRedis, type RedisServer } from '@coordinator/task-testing';
import {
  audit,
  checkLayout,
  DEFAULT_KEY_PREFIX,
  RedisBackend,
  RedisConnection,
  type AuditFault,
  type AuditOptions,
  type AuditReport,
  type QueueBooks,
} from '@coordinator/tasks';
import { REPOSITORY, sandboxSettings } from '@coordinator/tools';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClientLedger } from '../driver/client-ledger.ts';
import { Driver } from '../driver/driver.ts';
import type { Victim } from '../faults/fault-schedule.ts';
import { TcpProxy } from '../faults/tcp-proxy.ts';
import { NotShownError } from '../not-shown.ts';
import { Sink } from '../sink/sink.ts';
import { LogLines } from './log-lines.ts';
import { ADMIN_TOKEN, QUEUE, READER_TOKEN, TOKEN, WEBHOOK_SECRET, type ProvingStackOptions } from './stack-options.ts';
import { SupervisedProcess } from './supervised-process.ts';

/** The stack did not come up. */
export class StackError extends NotShownError {
  override readonly name = 'StackError';
}

const JOB_KEY = '{cc}:job:';
const READ_DEADLINE_MS = 5_000;
const BATCH = 1_000;

/** A process of ours that was killed, with all that it had not sent yet. */
export interface Death {
  readonly victim: 'api' | 'worker';
  readonly pid: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** How the admin API is asked. */
export interface AdminAsk {
  /** Default: that of an operator, who may do everything. */
  readonly token?: string;
  readonly body?: object;
  /** Which API, from 0. */
  readonly api?: number;
}

/** Driver → APIs → Redis → workers → sink, each a process of its own but the driver. */
export class ProvingStack {
  readonly log = new LogLines();
  /** kill -9 so far. */
  readonly kills: Record<Victim, number> = { worker: 0, api: 0, redis: 0 };
  /** The same, one by one. */
  readonly deaths: Death[] = [];
  apis: SupervisedProcess[] = [];
  workers: SupervisedProcess[] = [];
  redis!: RedisServer;
  proxy: TcpProxy | undefined;
  sink!: Sink;
  ledger!: ClientLedger;
  driver!: Driver;
  readonly options: ProvingStackOptions;
  #dir = '';
  #connection: RedisConnection | undefined;
  #stopped: Promise<void> | undefined;

  private constructor(options: ProvingStackOptions) {
    this.options = options;
  }

  /** Starts all of it and waits until it is ready. @throws StackError; nothing is left running then */
  static async start(options: ProvingStackOptions = {}): Promise<ProvingStack> {
    const stack = new ProvingStack(options);
    try {
      await stack.#start();
      return stack;
    } catch (error) {
      await stack.stop();
      throw new StackError(error instanceof Error ? error.message : String(error), { cause: error });
    }
  }

  /** Attempts that can run at once. */
  get slots(): number {
    return this.workers.length * (this.options.concurrency ?? 10);
  }

  get leaseMs(): number {
    return this.options.leaseMs ?? 3_000;
  }

  /** kill -9, and a start after `downMs`. */
  async kill(victim: Victim, index = 0, downMs = 0): Promise<void> {
    this.kills[victim] += 1;
    if (victim === 'redis') {
      await this.redis.kill('SIGKILL');
      if (downMs > 0) await new Promise((wake) => setTimeout(wake, downMs));
      return this.redis.restart();
    }
    const process = (victim === 'worker' ? this.workers : this.apis)[index];
    if (process) this.deaths.push({ victim, pid: process.pid, at: Date.now() });
    await process?.kill(downMs);
  }

  /** Runs one Redis command, past the proxy. */
  async command(...args: string[]): Promise<unknown> {
    const connection = this.#connection;
    if (!connection) throw new Error('There is no connection to Redis yet');
    return connection.command(...args);
  }

  /** The engine, past the proxy. */
  get backend(): RedisBackend {
    if (!this.#connection) throw new Error('There is no connection to Redis yet');
    return new RedisBackend(this.#connection);
  }

  /**
   * Asks the admin API of one of the APIs; returns the text of its answer.
   *
   * @param body of a POST. Default: it is a GET
   */
  async askAdmin(path: string, { token = ADMIN_TOKEN, body, api = 0 }: AdminAsk = {}): Promise<string> {
    const answer = await fetch(`${this.apis[api]?.adminUrl}/admin/v1${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return answer.text();
  }

  /** What an operator's command is started with to work on this stack. */
  get operatorEnv(): NodeJS.ProcessEnv {
    const url = this.apis[0]?.adminUrl;
    return { PATH: process.env.PATH, COORDINATOR_ADMIN_URL: url, COORDINATOR_ADMIN_TOKEN: ADMIN_TOKEN };
  }

  /** How the queue stands. */
  books(): Promise<QueueBooks> {
    return this.backend.books(QUEUE);
  }

  /** What the engine's audit finds wrong. */
  async auditFaults(): Promise<readonly AuditFault[]> {
    return (await this.audit()).faults;
  }

  /** The engine's audit, as an operator runs it. @throws CoordinatorError COORD_LAYOUT_UNKNOWN */
  async audit(options: Pick<AuditOptions, 'repair'> = {}): Promise<AuditReport> {
    const connection = this.#connection;
    if (!connection) throw new Error('There is no connection to Redis yet');
    await checkLayout((script, root, args) => connection.run(script, root, args), DEFAULT_KEY_PREFIX);
    return audit(connection, options);
  }

  /** Waits until every job has ended. Returns the books then. @throws Error with the books when it takes longer */
  async drained(deadlineMs = 60_000): Promise<QueueBooks> {
    return eventually(
      async () => {
        const books = await this.books();
        const ended = books.completed + books.dead + books.cancelled;
        if (ended !== books.accepted || books.missing !== 0)
          throw new Error(`the queue stands at ${JSON.stringify(books)}`);
        return books;
      },
      { deadlineMs, everyMs: 100 },
    );
  }

  /** Ids of the dead letters. */
  async dead(): Promise<Set<string>> {
    return new Set((await this.command('ZRANGE', `{cc}:q:${QUEUE}:dead`, '0', '-1')) as string[]);
  }

  /** A field of a job's record, by job id; null where there is none. */
  async fields(jobIds: readonly string[], field: string): Promise<Map<string, string | null>> {
    const found = new Map<string, string | null>();
    for (let i = 0; i < jobIds.length; i += BATCH) {
      const batch = jobIds.slice(i, i + BATCH);
      const values = await Promise.all(batch.map((id) => this.command('HGET', JOB_KEY + id, field)));
      batch.forEach((id, k) => found.set(id, values[k] as string | null));
    }
    return found;
  }

  /** Ends everything at once and removes its files. May be called again. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    await this.driver?.close();
    await Promise.all([...this.apis, ...this.workers].map((one) => one.stop()));
    await this.sink?.stop();
    this.#connection?.close();
    await this.proxy?.stop();
    await this.redis?.stop();
    await this.ledger?.close();
    if (this.#dir) await rm(this.#dir, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    const { apis = 2, workers = 2, redisUrl, redisArgs: args, redisDir: dir, root = REPOSITORY } = this.options;
    const { appendfsync = 'always' } = this.options;
    this.#dir = await mkdtemp(join(tmpdir(), 'coordinator-prove-'));
    if (redisUrl === undefined) this.redis = await startRedis({ appendfsync, args, dir });
    this.#connection = new RedisConnection({
      url: redisUrl ?? this.redis.url,
      log: silentLogger,
      commandDeadlineMs: READ_DEADLINE_MS,
    });
    await this.#connection.connect();
    if (this.options.proxied) {
      this.proxy = new TcpProxy(this.redis.port);
      await this.proxy.start();
    }
    this.sink = await Sink.start(join(this.#dir, 'effects.jsonl'));
    this.ledger = await ClientLedger.open(join(this.#dir, 'acks'));
    const env = await this.#environment(root);
    const launch = (app: 'coordinator-api' | 'coordinator-worker', kind: string, count: number) =>
      Promise.all(
        Array.from({ length: count }, (_, i) => {
          const name = `${kind}-${i + 1}`;
          const own = { ...env, ...this.options.envOf?.[name] };
          const ownRoot = this.options.rootOf?.[name] ?? root;
          return SupervisedProcess.start({
            name,
            app,
            root: ownRoot,
            env: own,
            output: this.options.outputOf?.[name],
            group: this.options.groupOf?.[name],
            onLine: (line) => this.log.add(line, name),
          });
        }),
      );
    this.apis = await launch('coordinator-api', 'api', apis);
    this.workers = await launch('coordinator-worker', 'worker', workers);
    await Promise.all([...this.apis, ...this.workers].map((one) => one.ready()));
    this.driver = new Driver({ apis: this.apis.map(({ url }) => url), ledger: this.ledger, token: TOKEN });
  }

  async #environment(root: string): Promise<NodeJS.ProcessEnv> {
    const { concurrency = 10, env = {} } = this.options;
    const inherited = { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: process.env.TMPDIR };
    const sandbox = await sandboxSettings(join(root, 'apps/sandbox/dist/main.js'), { ...inherited, SANDBOX_PORT: '1' });
    return {
      ...sandbox,
      ...inherited,
      REDIS_URL: this.proxy?.url ?? this.options.redisUrl ?? this.redis.url,
      API_TOKENS: `prove=${TOKEN}`,
      ADMIN_TOKENS: `operator=${ADMIN_TOKEN}:read+operate+payload,reader=${READER_TOKEN}:read`,
      COORDINATOR_EXTENSIONS: '@coordinator/prove',
      PROVE_SINK_URL: this.sink.url,
      PROVE_WEBHOOK_SECRET: WEBHOOK_SECRET,
      WORKER_QUEUES: QUEUE,
      WORKER_CONCURRENCY: String(concurrency),
      WORKER_LEASE_MS: String(this.leaseMs),
      LOG_LEVEL: 'warn',
      ...env,
    };
  }
}
