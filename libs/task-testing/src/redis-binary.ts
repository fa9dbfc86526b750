import { execFile } from 'node:child_process';
import { constants, existsSync, readdirSync } from 'node:fs';
import { access, mkdir, mkdtemp, readdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import { basename, delimiter, dirname, isAbsolute, join, resolve, sep } from 'node:path';
import { promisify } from 'node:util';
import { isAlive } from './process-alive.ts';

const run = promisify(execFile);

/** Oldest server accepted: scripts that may write into a full Redis exist since 7.0. */
const MINIMUM_REDIS_VERSION = '7.0';

/** Exit code of a process that cannot go on because no Redis can be had (EX_UNAVAILABLE of sysexits.h). */
const REDIS_NOT_FOUND_EXIT_CODE = 69;

/** A Redis-compatible server that can be started on this machine. */
export interface RedisBinary {
  /** Absolute path of the executable. */
  path: string;
  /** Version it reports, for example `7.0.15`. */
  version: string;
  /** Where it was found. */
  source: 'REDIS_SERVER_BIN' | 'PATH' | 'cache' | 'debian';
  /** Environment to start it with; adds LD_LIBRARY_PATH where its libraries are not the system's. */
  env: NodeJS.ProcessEnv;
}

/** Settings of {@link findRedisServer}. */
export interface FindRedisOptions {
  /** Environment to look in. Default: `process.env`. */
  env?: NodeJS.ProcessEnv;
  /** Folder of the unpacked copy. Default: `node_modules/.cache/coordinator/redis` of the workspace. */
  cacheDir?: string;
  /** Told, in one line, when something slow begins or a candidate is passed over. Default: silent. */
  log?: (line: string) => void;
}

/**
 * No Redis server can be had on this machine. The message is complete and meant for a person: print it without the stack
 * and exit with `exitCode`.
 */
export class RedisNotFoundError extends Error {
  /** Exit code for the process: 69. */
  readonly exitCode = REDIS_NOT_FOUND_EXIT_CODE;

  constructor(lookedFor: readonly string[]) {
    super(
      [
        `No Redis server (>= ${MINIMUM_REDIS_VERSION}) was found, and none could be fetched. Looked for:`,
        ...lookedFor.map((line) => `  - ${line}`),
        'Any one of these helps:',
        '  1. install one: apt install redis-server | dnf install valkey | apk add redis | pacman -S valkey | brew install redis',
        '  2. use a running one: REDIS_URL=redis://host:6379 npm start',
        '  3. start one with Docker: docker run --rm -p 6379:6379 redis:7, then REDIS_URL=redis://127.0.0.1:6379',
        '  4. name an executable: REDIS_SERVER_BIN=/path/to/redis-server',
      ].join('\n'),
    );
    this.name = 'RedisNotFoundError';
    // A person who lacks a package has no use for our call stack, whoever prints this error.
    this.stack = `${this.name}: ${this.message}`;
  }
}

/**
 * Finds a Redis server: REDIS_SERVER_BIN, `redis-server` then `valkey-server` on PATH, the unpacked copy in `cacheDir`, and
 * at last Debian's signed packages, unpacked into `cacheDir` without root. Safe to call from many processes at once.
 *
 * @throws RedisNotFoundError when there is none, or when REDIS_SERVER_BIN names something that is not one.
 */
export async function findRedisServer(options: FindRedisOptions = {}): Promise<RedisBinary> {
  const { env = process.env, cacheDir = defaultCacheDir(), log = () => {} } = options;
  const lookedFor: string[] = [];
  const miss = (line: string) => {
    lookedFor.push(line);
    return undefined;
  };

  if (env.REDIS_SERVER_BIN) {
    // Someone who names an executable wants that one: falling back to another would hide their mistake.
    const named = await probe(resolve(env.REDIS_SERVER_BIN), 'REDIS_SERVER_BIN', env);
    if (typeof named === 'string') throw new RedisNotFoundError([`REDIS_SERVER_BIN=${env.REDIS_SERVER_BIN}: ${named}`]);
    return named;
  }
  miss('REDIS_SERVER_BIN: not set');

  for (const name of ['redis-server', 'valkey-server']) {
    const path = executableOnPath(name, env);
    const found = path === undefined ? 'not there' : await probe(path, 'PATH', env);
    if (typeof found !== 'string') return found;
    miss(`${name} on PATH: ${path === undefined ? found : `${path}: ${found}`}`);
  }

  const cached = await probeUnpacked(cacheDir, 'cache', env);
  if (typeof cached !== 'string') return cached;
  miss(`an unpacked copy in ${cacheDir}: ${cached}`);

  const unpacked = await unpackFromDebian(cacheDir, env, log).catch((error: unknown) => reasonOf(error));
  if (typeof unpacked !== 'string') return unpacked;
  miss(`Debian's packages by apt-get: ${unpacked}`);
  throw new RedisNotFoundError(lookedFor);
}

function defaultCacheDir(): string {
  const parts = __dirname.split(sep);
  const installed = parts.indexOf('node_modules');
  let root = installed >= 0 ? parts.slice(0, installed).join(sep) : __dirname;
  while (!existsSync(join(root, 'package-lock.json')) && dirname(root) !== root && installed < 0) root = dirname(root);
  if (dirname(root) === root) root = process.cwd();
  return join(root, 'node_modules', '.cache', 'coordinator', 'redis');
}

function executableOnPath(name: string, env: NodeJS.ProcessEnv): string | undefined {
  return (env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => isAbsolute(folder))
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));
}

async function probe(
  path: string,
  source: RedisBinary['source'],
  env: NodeJS.ProcessEnv,
): Promise<RedisBinary | string> {
  try {
    await access(path, constants.X_OK);
    const { stdout } = await run(path, ['--version'], { env, timeout: 10_000 });
    const version = /v=(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
    if (version === undefined) return `does not say a version: ${stdout.trim().slice(0, 80)}`;
    if (isOlder(version, MINIMUM_REDIS_VERSION)) return `version ${version} is older than ${MINIMUM_REDIS_VERSION}`;
    return { path, version, source, env };
  } catch (error) {
    return reasonOf(error);
  }
}

function isOlder(version: string, minimum: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [minMajor = 0, minMinor = 0] = minimum.split('.').map(Number);
  return major < minMajor || (major === minMajor && minor < minMinor);
}

async function probeUnpacked(
  root: string,
  source: RedisBinary['source'],
  env: NodeJS.ProcessEnv,
): Promise<RedisBinary | string> {
  const path = join(root, 'usr', 'bin', 'redis-server');
  if (!existsSync(path)) return 'not there';
  const libraryPath = [...foldersWithLibraries(root), env.LD_LIBRARY_PATH].filter(Boolean).join(delimiter);
  return probe(path, source, { ...env, LD_LIBRARY_PATH: libraryPath });
}

function foldersWithLibraries(root: string): string[] {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' });
  return [
    ...new Set(files.filter((file) => /\.so(\.|$)/.test(basename(file))).map((file) => join(root, dirname(file)))),
  ];
}

async function unpackFromDebian(
  cacheDir: string,
  env: NodeJS.ProcessEnv,
  log: (line: string) => void,
): Promise<RedisBinary | string> {
  for (const tool of ['apt-get', 'dpkg-deb']) {
    if (executableOnPath(tool, env) === undefined) return `there is no ${tool} here`;
  }
  await mkdir(dirname(cacheDir), { recursive: true });
  return withLock(`${cacheDir}.lock`, async () => {
    // Whoever held the lock before us has most likely done the work.
    const meanwhile = await probeUnpacked(cacheDir, 'cache', env);
    if (typeof meanwhile !== 'string') return meanwhile;
    log('redis: none on this machine; unpacking Debian’s redis-server (about 7 MB, no root needed) …');
    await removeLeftOvers(cacheDir);
    const work = await mkdtemp(`${cacheDir}.tmp-`);
    try {
      await download(work, env);
      const fresh = await probeUnpacked(join(work, 'root'), 'debian', env);
      if (typeof fresh === 'string') return `the unpacked server does not run: ${fresh}`;
      await rm(cacheDir, { recursive: true, force: true });
      await rename(join(work, 'root'), cacheDir).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
      });
      return await probeUnpacked(cacheDir, 'debian', env);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  });
}

/** A finder that was killed while it unpacked left its folder behind; the lock says that nobody uses it. */
async function removeLeftOvers(cacheDir: string): Promise<void> {
  const stale = (await readdir(dirname(cacheDir))).filter((name) => name.startsWith(`${basename(cacheDir)}.tmp-`));
  await Promise.all(stale.map((name) => rm(join(dirname(cacheDir), name), { recursive: true, force: true })));
}

/** Lets apt-get check the signatures, with state folders of its own, so that neither root nor the system's state is needed. */
async function download(work: string, env: NodeJS.ProcessEnv): Promise<void> {
  const debs = join(work, 'debs');
  const folders = ['root', 'debs', 'state/lists/partial', 'cache/archives/partial'];
  await Promise.all(folders.map((folder) => mkdir(join(work, folder), { recursive: true })));
  const settings = [
    `Dir::State=${join(work, 'state')}`,
    `Dir::State::lists=${join(work, 'state', 'lists')}`,
    'Dir::State::status=/var/lib/dpkg/status',
    `Dir::Cache=${join(work, 'cache')}`,
    'Debug::NoLocking=1',
    'APT::Sandbox::User=',
    'Acquire::Languages=none',
    'Acquire::Retries=2',
    'Acquire::http::Timeout=20',
    'Acquire::https::Timeout=20',
  ].flatMap((setting) => ['-o', setting]);
  const apt = (...args: string[]) =>
    run('apt-get', ['-q', ...settings, ...args], { cwd: debs, env: { ...env, LC_ALL: 'C' }, timeout: 180_000 });

  await apt('update');
  const { stdout } = await apt('install', '-s', '--no-install-recommends', 'redis-server');
  const names = [...stdout.matchAll(/^Inst (\S+)/gm)].map((match) => match[1] ?? '');
  // Where redis-tools is installed it is not in the list, and redis-server is a link to a program of it.
  await apt('download', ...new Set([...names, 'redis-server', 'redis-tools']));
  for (const deb of (await readdir(debs)).filter((file) => file.endsWith('.deb'))) {
    await run('dpkg-deb', ['-x', join(debs, deb), join(work, 'root')], { env, timeout: 60_000 });
  }
}

/** A lock only saves double work: the rename at the end is what keeps two unpackers apart, so breaking a stale lock is harmless. */
async function withLock<T>(lock: string, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      // A symbolic link is made and given its content, our pid, in one step: a killed holder is told from a busy one.
      await symlink(String(process.pid), lock);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const holder = await readlink(lock).catch(() => undefined);
      if (holder !== undefined && !isAlive(Number(holder))) await rm(lock, { force: true });
      else await new Promise((wake) => setTimeout(wake, 100));
    }
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

function reasonOf(error: unknown): string {
  const { code, stderr, message } = error as NodeJS.ErrnoException & { stderr?: string };
  if (code === 'ENOENT') return 'not there';
  if (code === 'EACCES') return /mkdir|mkdtemp|symlink/.test(message) ? message : 'not executable';
  const told = /^(?:E|Err|W): ?(.+)$/m.exec(stderr ?? '')?.[1] ?? stderr?.trim().split('\n').at(-1);
  return (told || message).slice(0, 300);
}
