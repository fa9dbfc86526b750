import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { findRedisServer, type RedisBinary } from './redis-binary.ts';
import { isAlive } from './process-alive.ts';

/** Settings of {@link startRedis}. */
export interface StartRedisOptions {
  /** Port at `host`. Default: one that is free on 127.0.0.1. */
  port?: number;
  /** Address that it listens on and is reached at. Default: `127.0.0.1`. */
  host?: string;
  /** Folder of the data, kept at stop. Default: a temporary one, removed at stop. */
  dir?: string;
  /** `always` and `everysec` keep an append-only file; `no-aof` keeps nothing and is the quickest. Default: `always`. */
  appendfsync?: 'always' | 'everysec' | 'no-aof';
  /** Further arguments of redis-server; they win over ours. Default: none. */
  args?: readonly string[];
  /** The server to start. Default: what {@link findRedisServer} finds. */
  binary?: RedisBinary;
  /** Whether Ctrl-C in the terminal passes it by, so that its parent can end it last. Default: false. */
  detached?: boolean;
  /** How long a start may take, loading of data included. Default: 30 000. */
  readyTimeoutMs?: number;
}

/** How a process ended: one of the two is set. */
export interface ProcessEnd {
  /** Exit code, when it ended by itself. */
  code: number | null;
  /** Signal that ended it. */
  signal: NodeJS.Signals | null;
}

/** A Redis server of our own. */
export interface RedisServer {
  /** For example `redis://127.0.0.1:23456`. */
  readonly url: string;
  /** Port; the same after a restart. */
  readonly port: number;
  /** Process id; another one after a restart. */
  readonly pid: number;
  /** Folder of its data. */
  readonly dir: string;
  /** Its last lines of output, oldest first. */
  readonly lines: readonly string[];
  /** Settles when the process that runs now has ended. */
  readonly exited: Promise<ProcessEnd>;
  /** Ends it (SIGTERM, SIGKILL after 5 s) and removes a temporary folder. May be called again. */
  stop(): Promise<void>;
  /** Sends a deadly signal and waits until the process has ended (SIGKILL after 5 s); its data stays. Default: SIGKILL. */
  kill(signal?: 'SIGKILL' | 'SIGTERM' | 'SIGINT'): Promise<void>;
  /** Starts it again on the same port and folder, after SIGTERM where it still runs. Throws once it was stopped. */
  restart(): Promise<void>;
  /** Freezes it (SIGSTOP): connections stay open and nothing answers. */
  pause(): void;
  /** Ends a {@link RedisServer.pause}. */
  resume(): void;
}

/**
 * Starts a Redis that never evicts, and waits until it answers. It does not outlive this process.
 *
 * @throws RedisNotFoundError when no server can be had; Error with the server's last lines when it does not come up.
 */
export async function startRedis(options: StartRedisOptions = {}): Promise<RedisServer> {
  const binary = options.binary ?? (await findRedisServer());
  await sweepOrphans();
  const temporary = options.dir === undefined;
  const dir = options.dir === undefined ? await mkdtemp(join(tmpdir(), TEMPORARY_PREFIX)) : resolve(options.dir);
  await mkdir(dir, { recursive: true });
  try {
    for (let tries = 1; ; tries += 1) {
      const port = options.port ?? (await freePort());
      const server = new LocalRedis(binary, port, dir, temporary, options);
      try {
        await server.launch();
        return server;
      } catch (error) {
        if (!(error instanceof AddressInUseError) || options.port !== undefined || tries === 20) throw error;
      }
    }
  } catch (error) {
    if (temporary) await rm(dir, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Command line that starts `command` so that the kernel sends it SIGTERM when this process dies, even by SIGKILL. Where
 * util-linux is missing (macOS, Alpine) the command comes back unchanged.
 */
export function tiedToParent(command: string, args: readonly string[]): [command: string, args: string[]] {
  canTie ??= supportsParentDeathSignal();
  return canTie ? ['setpriv', ['--pdeathsig', 'TERM', '--', command, ...args]] : [command, [...args]];
}

let canTie: boolean | undefined;

function supportsParentDeathSignal(): boolean {
  try {
    // Busybox has a setpriv without this option, so being there is not enough.
    execFileSync('setpriv', ['--pdeathsig', 'TERM', '--', 'true'], { stdio: 'ignore', timeout: 5000 });
    return true;
  } catch {
    return false;
  }
}

/**
 * A port of 127.0.0.1 that nobody listens on, below the range from which the system takes ports for outgoing connections: a
 * client that keeps retrying a stopped server inside that range can connect to itself and so block the port for good. No
 * port is given twice.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (!given.has(port) && (await canListen(port))) {
      given.add(port);
      return port;
    }
  }
}

/** By this process: whoever was told a port may be a second away from listening. One in thirty proofs met itself there. */
const given = new Set<number>();

function canListen(port: number): Promise<boolean> {
  return new Promise((settle) => {
    const server = createServer();
    server.once('error', () => settle(false));
    server.listen(port, '127.0.0.1', () => server.close(() => settle(true)));
  });
}

class AddressInUseError extends Error {}

class LocalRedis implements RedisServer {
  readonly url: string;
  readonly lines: string[] = [];
  exited: Promise<ProcessEnd> = Promise.resolve({ code: 0, signal: null });
  private readonly host: string;
  private child: ChildProcess | undefined;
  private stopped = false;

  constructor(
    private readonly binary: RedisBinary,
    readonly port: number,
    readonly dir: string,
    private readonly temporary: boolean,
    private readonly options: StartRedisOptions,
  ) {
    this.host = options.host ?? '127.0.0.1';
    this.url = `redis://${this.host}:${port}`;
  }

  get pid(): number {
    return this.child?.pid ?? -1;
  }

  async launch(): Promise<void> {
    const [command, args] = tiedToParent(this.binary.path, this.arguments());
    const child = spawn(command, args, {
      cwd: this.dir,
      env: this.binary.env,
      detached: this.options.detached ?? false,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    this.exited = new Promise((settle) => {
      child.once('error', (error) => {
        this.note(error.message);
        settle({ code: 1, signal: null });
      });
      child.once('exit', (code, signal) => settle({ code, signal }));
    });
    child.stdout.setEncoding('utf8').on('data', (text: string) => this.note(text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => this.note(text));
    if (this.temporary) await writeFile(join(this.dir, OWNER_FILE), JSON.stringify(this.owner()));
    await this.untilReady(child);
    // A forgotten server must not keep its parent from ending; the parent's end then ends the server.
    child.unref();
    for (const stream of [child.stdout, child.stderr]) (stream as unknown as { unref(): void }).unref();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.end('SIGTERM');
    if (this.temporary) await rm(this.dir, { recursive: true, force: true });
  }

  async kill(signal: 'SIGKILL' | 'SIGTERM' | 'SIGINT' = 'SIGKILL'): Promise<void> {
    await this.end(signal);
  }

  async restart(): Promise<void> {
    if (this.stopped) throw new Error(`The Redis of port ${this.port} was stopped; start another one.`);
    await this.end('SIGTERM');
    await this.launch();
  }

  pause(): void {
    this.child?.kill('SIGSTOP');
  }

  resume(): void {
    this.child?.kill('SIGCONT');
  }

  private arguments(): string[] {
    const { appendfsync = 'always', args = [] } = this.options;
    const fsync = appendfsync === 'no-aof' ? [] : ['--appendfsync', appendfsync];
    return [
      ...['--port', String(this.port), '--bind', this.host, '--daemonize', 'no', '--save', ''],
      ...['--maxmemory-policy', 'noeviction'],
      ...['--appendonly', appendfsync === 'no-aof' ? 'no' : 'yes', ...fsync],
      ...args,
    ];
  }

  private owner(): Owner {
    return { host: hostname(), parent: process.pid, redis: this.pid, port: this.port };
  }

  private note(text: string): void {
    this.lines.push(...text.split('\n').filter((line) => line.trim() !== ''));
    this.lines.splice(0, this.lines.length - 100);
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.ref();
    child.kill(signal);
    // A paused process takes no other signal before it goes on.
    child.kill('SIGCONT');
    const force = setTimeout(() => child.kill('SIGKILL'), 5000);
    await this.exited;
    clearTimeout(force);
  }

  private async untilReady(child: ChildProcess): Promise<void> {
    const ready = { answered: false, ended: undefined as ProcessEnd | undefined };
    void this.exited.then((end) => (ready.ended = end));
    const { readyTimeoutMs = 30_000 } = this.options;
    const giveUpAt = performance.now() + readyTimeoutMs;
    while (!ready.answered) {
      if (ready.ended !== undefined)
        throw this.failure(`ended with ${ready.ended.signal ?? `code ${ready.ended.code}`}`);
      if (performance.now() > giveUpAt) {
        await this.end('SIGKILL');
        throw this.failure(`did not answer within ${readyTimeoutMs} ms`);
      }
      ready.answered = await answers(this.host, this.port, child.pid ?? -1);
      if (!ready.answered) await new Promise((wake) => setTimeout(wake, 10));
    }
  }

  private failure(what: string): Error {
    const inUse = this.lines.some((line) => /address already in use/i.test(line));
    const message = `Redis on port ${this.port} ${what}:\n${this.lines.slice(-15).join('\n')}`;
    return inUse ? new AddressInUseError(message) : new Error(message);
  }
}

/** Asks with a bare socket, so that no client library is needed; the pid tells our server from a stranger on the same port. */
function answers(host: string, port: number, pid: number): Promise<boolean> {
  return new Promise((settle) => {
    let reply = '';
    const socket = connect({ port, host });
    const done = (answer: boolean) => {
      socket.destroy();
      settle(answer);
    };
    socket.setTimeout(1000, () => done(false));
    socket.once('error', () => done(false)).once('close', () => done(false));
    socket.once('connect', () => socket.write('PING\r\nINFO server\r\n'));
    socket.setEncoding('utf8').on('data', (text: string) => {
      reply += text;
      // A server that wants a password is up as well.
      if (/^-NOAUTH/.test(reply)) done(true);
      else if (/^-/.test(reply)) done(false);
      const told = /process_id:(\d+)\r\n/.exec(reply)?.[1];
      if (told !== undefined) done(reply.startsWith('+PONG') && Number(told) === pid);
    });
  });
}

const TEMPORARY_PREFIX = 'coordinator-redis-';
const OWNER_FILE = 'owner.json';

interface Owner {
  /** Containers may share a folder of temporary files, never their pids. */
  host: string;
  parent: number;
  redis: number;
  port: number;
}

/** Ends servers, and removes folders, whose parent was killed before it could: where setpriv is missing, nobody else would. */
async function sweepOrphans(): Promise<void> {
  const folders = (await readdir(tmpdir())).filter((name) => name.startsWith(TEMPORARY_PREFIX));
  await Promise.all(
    folders.map(async (name) => {
      const dir = join(tmpdir(), name);
      try {
        const owner = JSON.parse(await readFile(join(dir, OWNER_FILE), 'utf8')) as Owner;
        if (owner.host !== hostname() || isAlive(owner.parent)) return;
        if (isRedisOf(owner)) process.kill(owner.redis, 'SIGKILL');
        await rm(dir, { recursive: true, force: true });
      } catch {
        // Another user's folder, or one that is just being made or removed: not ours to sweep.
      }
    }),
  );
}

/** Pids are used again, so the command line has to agree before anything is ended. */
function isRedisOf({ redis, port }: Owner): boolean {
  if (!isAlive(redis)) return false;
  const commandLine = readCommandLine(redis);
  return /redis|valkey/.test(commandLine) && new RegExp(`\\b${port}\\b`).test(commandLine);
}

function readCommandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' });
  }
}
