import {
  CertificateAuthority,
  eventually,
  leakChecks,
  privateRedis,
  RecordingLog,
  type IssuedCertificate,
} from '@coordinator/task-testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server, type TlsOptions } from 'node:tls';
import { createPopClient } from './bee-queue.ts';
import { RedisConnection } from './redis-connection.ts';
import { redisTls, type RedisTlsFiles } from './redis-tls.ts';

const folder = mkdtempSync(join(tmpdir(), 'coordinator-redis-tls-'));
afterAll(() => rmSync(folder, { recursive: true }));
const redis = privateRedis();
leakChecks();

let authority: CertificateAuthority;
let otherAuthority: CertificateAuthority;
let [ours, expired, elsewhere, renewed]: IssuedCertificate[] = [];
beforeAll(() => {
  [authority, otherAuthority] = [new CertificateAuthority(), new CertificateAuthority('another authority')];
  ours = authority.issue();
  expired = authority.issue({ days: -1 });
  elsewhere = authority.issue({ names: ['else.test'] });
  renewed = otherAuthority.issue();
});

const closing: (() => unknown)[] = [];
let log: RecordingLog;
beforeEach(() => {
  log = new RecordingLog();
});
afterEach(() => Promise.all(closing.splice(0).map((close) => close())));

/** A file that holds this. */
function file(name: string, content: string): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

/** TLS in front of Redis, which so needs none of its own. */
async function startTls(options: TlsOptions): Promise<{ port: number; server: Server; cut: () => void }> {
  const sockets = new Set<Socket>();
  const server = createServer(options, (socket) => {
    const inner = connect(redis.server.port, '127.0.0.1');
    for (const [end, other] of [
      [socket, inner],
      [inner, socket],
    ] as const) {
      sockets.add(end);
      end.pipe(other);
      end.on('error', () => undefined).on('close', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = () => sockets.forEach((socket) => socket.destroy());
  closing.push(async () => {
    cut();
    await new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as AddressInfo).port, server, cut };
}

/** A connection that goes on trying. */
function open(url: string, tls?: RedisTlsFiles): RedisConnection {
  const connection = new RedisConnection({ url, tls, log });
  closing.push(() => connection.close());
  connection.connect().catch(() => undefined);
  return connection;
}

const answers = (connection: RedisConnection) =>
  eventually(async () => expect(await connection.command('PING')).toBe('PONG'));

/** What the log says is to be done about a connection. */
const advice = () =>
  eventually(() => {
    const [line] = log.lines.filter(({ fields }) => fields.advice !== undefined);
    expect(line).toMatchObject({ level: 'warn', message: 'Redis is not reachable, reconnecting' });
    return line?.fields.advice as string;
  });

describe('over TLS', () => {
  test('both clients speak to a Redis that wants a certificate of theirs', async () => {
    const { port } = await startTls({ ...ours, ca: authority.cert, requestCert: true, rejectUnauthorized: true });
    const { cert, key } = authority.issue({ names: ['worker.test'] });
    const files = { caFile: file('ca', authority.cert), certFile: file('cert', cert), keyFile: file('key', key) };
    const url = `rediss://localhost:${port}`;
    await answers(open(url, files));

    await redis.command('LPUSH', 'from', 'job-1');
    const pop = createPopClient(url, redisTls(url, files, log));
    closing.push(() => pop.end(true));
    const popped = new Promise((resolve) => pop.brpoplpush('from', 'to', 1, (_, id) => resolve(id)));
    expect(await popped).toBe('job-1');
  });

  test('files that are renewed count for the next connection, and until all of them are, those before', async () => {
    const { port, server, cut } = await startTls({ ...ours });
    const [caFile, url] = [file('ca', authority.cert), `rediss://127.0.0.1:${port}`];
    const connection = open(url, { caFile });
    const pop = createPopClient(url, redisTls(url, { caFile }, log));
    pop.on('error', () => undefined);
    closing.push(() => pop.end(true));
    await answers(connection);

    file('ca', 'half of a');
    cut();
    await answers(connection);
    expect(log.lines.map(({ message }) => message)).toContainEqual(expect.stringContaining('do not fit together'));

    file('ca', otherAuthority.cert);
    server.setSecureContext({ ...renewed });
    cut();
    await answers(connection);
    await redis.command('LPUSH', 'from', 'job-2');
    await eventually(async () => {
      const popped = new Promise((resolve) => pop.brpoplpush('from', 'to', 1, (error, id) => resolve(error ?? id)));
      expect(await popped).toBe('job-2');
    });
  });

  test('a server of an unknown authority gets nothing, whatever NODE_TLS_REJECT_UNAUTHORIZED says', async () => {
    const { port } = await startTls({ ...ours });
    // A process of its own: the environment that Jest gives to tests is a copy, at which Node does not look.
    const program = `
      require('@swc-node/register');
      const { RedisConnection } = require(${JSON.stringify(join(__dirname, 'redis-connection.ts'))});
      const log = { debug() {}, info() {}, error() {}, warn: (fields) => process.stdout.write(String(fields.advice), () => process.exit()) };
      new RedisConnection({ url: 'rediss://127.0.0.1:${port}', log }).connect().then(() => process.stdout.write('connected'));`;
    const child = spawn(process.execPath, ['--conditions=@coordinator/source', '-e', program], {
      stdio: ['ignore', 'pipe', 'ignore'],
      cwd: join(__dirname, '..', '..'),
      env: { ...process.env, NODE_TLS_REJECT_UNAUTHORIZED: '0' },
    });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
    const closed = once(child, 'close');
    await eventually(() => expect(said).not.toBe(''), { deadlineMs: 30_000 });
    child.kill();
    await closed;
    expect(said).toBe('its certificate is of an unknown authority: set REDIS_TLS_CA_FILE');
  }, 40_000);
});

describe('a connection that cannot be made says what to do', () => {
  const withCa = () => ({ caFile: file('ca', authority.cert) });

  test('about an expired certificate', async () => {
    const { port } = await startTls({ ...expired });
    open(`rediss://127.0.0.1:${port}`, withCa());
    expect(await advice()).toContain('has expired');
  });

  test('about a certificate for other names', async () => {
    const { port } = await startTls({ ...elsewhere });
    open(`rediss://127.0.0.1:${port}`, withCa());
    expect(await advice()).toContain('have REDIS_URL name one of them');
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('about a server that wants a certificate, over %s', async (version) => {
    const versions = { minVersion: version, maxVersion: version };
    const { port } = await startTls({
      ...{ ...ours, ...versions, ca: authority.cert },
      requestCert: true,
      rejectUnauthorized: true,
    });
    const connection = open(`rediss://127.0.0.1:${port}`, withCa());
    expect(await advice()).toContain('set REDIS_TLS_CERT_FILE and REDIS_TLS_KEY_FILE');
    expect(connection.advice).toContain('REDIS_TLS_CERT_FILE');
  });

  test('about a server that does not answer to TLS', async () => {
    open(`rediss://127.0.0.1:${redis.server.port}`, withCa());
    expect(await advice()).toContain('that it speaks TLS there');
  });

  test('but none about a Redis that has ended', async () => {
    const connection = open(redis.url);
    await answers(connection);
    await redis.server.kill();
    await eventually(() =>
      expect(log.lines.map(({ message }) => message)).toContain('Redis is not reachable, reconnecting'),
    );
    await redis.server.restart();
    await answers(connection);
    expect(log.lines.filter(({ fields }) => fields.advice !== undefined)).toEqual([]);
  });

  test('about a server that speaks nothing else', async () => {
    const { port } = await startTls({ ...ours });
    open(`redis://127.0.0.1:${port}`);
    expect(await advice()).toContain('use rediss:// in REDIS_URL');
  });

  test('about a password that is wrong, and is well as soon as it is right', async () => {
    await redis.command('ACL', 'SETUSER', 'worker', 'on', '>old', '~*', '+@all');
    const connection = open(`redis://worker:new@127.0.0.1:${redis.server.port}`);
    expect(await advice()).toContain('user and password in REDIS_URL');
    await redis.command('ACL', 'SETUSER', 'worker', '>new');
    await answers(connection);
    expect(connection.advice).toBeUndefined();
  });
});
