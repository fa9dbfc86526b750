import { silentLogger } from '@coordinator/logging';
import { freePort, startRedis, type RedisServer } from '@coordinator/task-testing';
import { audit, RedisConnection, type AuditReport } from '@coordinator/tasks';
import { ManagedProcess, REPOSITORY, sandboxSettings } from '@coordinator/tools';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClientLedger } from '../driver/client-ledger.ts';
import { Driver } from '../driver/driver.ts';
import { LogLines } from '../stack/log-lines.ts';
import { TOKEN } from '../stack/stack-options.ts';
import { SupervisedProcess } from '../stack/supervised-process.ts';
import type { AppTrees } from './scratch-clone.ts';

type App = keyof AppTrees;

const SANDBOX = join(REPOSITORY, 'apps/sandbox/dist/main.js');
const READ_DEADLINE_MS = 5_000;

/** An effect that the sandbox really had. */
export interface SandboxEffect {
  readonly subject: string;
  readonly idempotencyKey: string;
  readonly repeats: number;
}

/** All installed extensions as they are run: two APIs and two workers on a real Redis, in front of the sandbox. */
export class ReleaseStack {
  readonly log = new LogLines();
  apis: SupervisedProcess[] = [];
  workers: SupervisedProcess[] = [];
  ledger!: ClientLedger;
  driver!: Driver;
  #redis: RedisServer | undefined;
  #connection!: RedisConnection;
  #sandbox: ManagedProcess | undefined;
  #sandboxUrl = '';
  #dir = '';

  /** Starts all of it from the trees of one release, and waits until it is ready. */
  async start(trees: AppTrees): Promise<void> {
    this.#dir = await mkdtemp(join(tmpdir(), 'coordinator-rehearsal-data-'));
    this.#redis = await startRedis({ appendfsync: 'always' });
    const url = this.#redis.url;
    this.#connection = new RedisConnection({ url, log: silentLogger, commandDeadlineMs: READ_DEADLINE_MS });
    await this.#connection.connect();
    const inherited = { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: process.env.TMPDIR };
    const settings = await this.#startSandbox(inherited);
    const env = {
      ...{ ...inherited, ...settings, REDIS_URL: url, API_TOKENS: `prove=${TOKEN}` },
      ...{ WORKER_CONCURRENCY: '10', SHUTDOWN_DELAY_MS: '500', SHUTDOWN_GRACE_MS: '5000' },
      ...{ OTEL_EXPORTER_OTLP_ENDPOINT: `${this.#sandboxUrl}/__otlp`, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' },
      ...{ OTEL_METRICS_EXPORTER: 'none', OTEL_BSP_SCHEDULE_DELAY: '250' },
    };
    const launch = (app: App, kind: string) =>
      Promise.all(
        [`${kind}-1`, `${kind}-2`].map((name) => {
          const onLine = (line: string) => this.log.add(line, name);
          return SupervisedProcess.start({ name, app, root: trees[app], env, onLine });
        }),
      );
    this.apis = await launch('coordinator-api', 'api');
    this.workers = await launch('coordinator-worker', 'worker');
    await Promise.all([...this.apis, ...this.workers].map((one) => one.ready()));
    this.ledger = await ClientLedger.open(join(this.#dir, 'acks'));
    this.driver = new Driver({ apis: this.apis.map((api) => api.url), ledger: this.ledger, token: TOKEN });
  }

  /** Replaces the APIs or the workers, one after the other; the driver heeds that one is away. */
  async replace(app: App, trees: AppTrees, only?: number): Promise<void> {
    const all = app === 'coordinator-api' ? this.apis : this.workers;
    for (const one of only === undefined ? all : all.slice(only, only + 1)) {
      if (app === 'coordinator-api') this.driver.avoid(one.url);
      await one.moveTo(trees[app]);
      this.driver.admit(one.url);
    }
  }

  /** What `/version` of each process tells, APIs first. */
  releases(): Promise<string[]> {
    return Promise.all(
      [...this.apis, ...this.workers].map(
        async ({ url }) => (await read<{ release: string }>(`${url}/version`)).release,
      ),
    );
  }

  /** What the engine's audit finds. */
  audit(): Promise<AuditReport> {
    return audit(this.#connection);
  }

  /** The envelopes of all jobs that there are, by job id. */
  async envelopes(): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    let cursor = '0';
    do {
      const page = await this.#connection.command('SCAN', cursor, 'MATCH', '{cc}:job:*', 'COUNT', '1000');
      const [next, keys] = page as [string, string[]];
      cursor = next;
      for (const key of keys) {
        const envelope = (await this.#connection.command('HGET', key, 'envelope')) as string;
        found.set(key.slice('{cc}:job:'.length), envelope);
      }
    } while (cursor !== '0');
    return found;
  }

  /** Effects of one kind, in the order in which they were had. */
  async effects(effect: string): Promise<SandboxEffect[]> {
    return (await read<{ effects: SandboxEffect[] }>(`${this.#sandboxUrl}/__ledger?effect=${effect}`)).effects;
  }

  /** The releases of each of the latest traces. */
  async releasesOfTraces(limit: number): Promise<Set<string>[]> {
    const { traces } = await read<{ traces: { traceId: string }[] }>(`${this.#sandboxUrl}/__traces?limit=${limit}`);
    return Promise.all(
      traces.map(async ({ traceId }) => {
        const { spans } = await read<{ spans: { release: string }[] }>(`${this.#sandboxUrl}/__traces/${traceId}`);
        return new Set(spans.map(({ release }) => release));
      }),
    );
  }

  /** Ends everything at once and removes its files. */
  async stop(): Promise<void> {
    await this.driver?.close();
    await Promise.all([...this.apis, ...this.workers].map((one) => one.stop()));
    this.#sandbox?.kill('SIGKILL');
    await this.#sandbox?.exited;
    this.#connection?.close();
    await this.#redis?.stop();
    await this.ledger?.close();
    if (this.#dir) await rm(this.#dir, { recursive: true, force: true });
  }

  /** It is of this repository and of no release: the services that are called know nothing of ours. */
  async #startSandbox(inherited: NodeJS.ProcessEnv): Promise<Record<string, string>> {
    const port = await freePort();
    this.#sandboxUrl = `http://127.0.0.1:${port}`;
    const env = { ...inherited, SANDBOX_PORT: String(port), LOG_LEVEL: 'warn' };
    this.#sandbox = new ManagedProcess({
      name: 'sandbox',
      args: [SANDBOX],
      env,
      readyUrl: `${this.#sandboxUrl}/readyz`,
    });
    this.#sandbox.start();
    await this.#sandbox.ready();
    return sandboxSettings(SANDBOX, env);
  }
}

async function read<T>(url: string): Promise<T> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return (await answer.json()) as T;
}
