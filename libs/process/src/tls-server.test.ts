import { CertificateAuthority, eventually, leakChecks, RecordingLog } from '@coordinator/task-testing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, Server } from 'node:http';
import { Agent, request, type RequestOptions } from 'node:https';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as tlsConnect, type ConnectionOptions } from 'node:tls';
import { createHttpServer } from './http-server.ts';
import type { TlsSettings } from './tls-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'coordinator-tls-'));
afterAll(() => rmSync(folder, { recursive: true }));
const closing: (() => Promise<void>)[] = [];
afterEach(() => Promise.all(closing.splice(0).map((close) => close())));
leakChecks();

let ours: CertificateAuthority;
let foreign: CertificateAuthority;
beforeAll(() => {
  ours = new CertificateAuthority('ours');
  foreign = new CertificateAuthority('ours');
});

let files = 0;
function fileWith(content: string): string {
  const path = join(folder, String((files += 1)));
  writeFileSync(path, content);
  return path;
}

/** A server with a certificate of ours, and what it says. */
async function start(change: Partial<TlsSettings> = {}) {
  const log = new RecordingLog();
  const { cert, key } = ours.issue();
  const tls = { certFile: fileWith(cert), keyFile: fileWith(key), log, reloadEveryMs: 20, ...change };
  const server = createHttpServer({ tls }).on('request', (_request, response) => response.end('hello'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => new Promise((resolve) => server.close(() => resolve())));
  const ask = (options: RequestOptions = {}) => askAt(server, options);
  const refusals = () => log.lines.map(({ fields }) => (fields['err'] as Error | undefined)?.message);
  return { server, tls, log, ask, refusals };
}

const portOf = (server: Server) => (server.address() as AddressInfo).port;

/** What a client gets over a connection of its own: a status, or the code of its failure. */
async function askAt(server: Server, options: RequestOptions): Promise<number | string> {
  const settings = { port: portOf(server), host: '127.0.0.1', agent: false, ca: ours.cert, ...options };
  try {
    const [answer] = (await once(request(settings).end(), 'response')) as [IncomingMessage];
    await once(answer.resume(), 'end');
    return answer.statusCode ?? 0;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

/** The status line of an answer, '' for none, and the session of the connection. */
async function visit(server: Server, options: ConnectionOptions) {
  const socket = tlsConnect({ port: portOf(server), host: '127.0.0.1', ca: ours.cert, ...options });
  let text = '';
  let session: Buffer | undefined;
  let resumed = false;
  socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
  socket.on('session', (given: Buffer) => (session = given));
  socket.on('secureConnect', () => (resumed = socket.isSessionReused()));
  // A refusal is an answer here: that there is none.
  socket.on('error', () => undefined);
  socket.write('GET / HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n');
  await new Promise((resolve) => socket.once('close', resolve));
  return { status: text.split('\r\n', 1)[0], session, resumed };
}

describe('a server with a certificate', () => {
  test('answers clients that know its authority', async () => {
    const { ask } = await start();
    expect(await ask()).toBe(200);
    expect(await ask({ ca: foreign.cert })).toBe('CERT_SIGNATURE_FAILURE');
  });

  test('speaks TLS 1.2 and 1.3, and nothing older', async () => {
    const { ask, refusals } = await start();
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      expect([version, await ask({ minVersion: version, maxVersion: version })]).toEqual([version, 200]);
    }
    // A client that would still do it, as today's do not.
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    expect(await ask(old)).toBe('EPROTO');
    expect(refusals()).toEqual(['ERR_SSL_UNSUPPORTED_PROTOCOL']);
  });

  test('closes what is no TLS, and answers nothing in the clear', async () => {
    const { server } = await start();
    const plain = connect(portOf(server), '127.0.0.1').setEncoding('latin1');
    let answer = '';
    plain.on('data', (text: string) => (answer += text));
    plain.write('GET / HTTP/1.1\r\nHost: api.test\r\n\r\n');
    await once(plain, 'close');
    expect(answer).not.toContain('HTTP');
  });

  test('gives up a handshake that does not come on', async () => {
    const { server, refusals } = await start();
    await once(connect(portOf(server), '127.0.0.1').resume(), 'close');
    expect(refusals()).toEqual(['ERR_TLS_HANDSHAKE_TIMEOUT']);
  });
});

describe('a server that asks for certificates of clients', () => {
  const mutual = (change: Partial<TlsSettings> = {}) => start({ clientCaFile: fileWith(ours.cert), ...change });

  test('answers those that its authority has issued', async () => {
    const { ask } = await mutual();
    expect(await ask(ours.issue({ names: ['any.test'] }))).toBe(200);
  });

  test.each([
    ['none', () => ({}), 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE'],
    ['one of a foreign authority of the same name', () => foreign.issue(), 'CERT_SIGNATURE_FAILURE'],
    ['one that has expired', () => ours.issue({ days: -1 }), 'CERT_HAS_EXPIRED'],
  ])('refuses %s, and says why', async (_what, certificate, reason) => {
    const { ask, refusals } = await mutual();
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      expect(await ask({ ...certificate(), minVersion: version, maxVersion: version })).toMatch(/^E/);
    }
    expect(refusals()).toEqual([reason]);
  });

  test('answers the names that are allowed, and no others', async () => {
    const { ask, log } = await mutual({ clientNames: ['shop.test', 'spiffe://test/shop'] });
    for (const name of ['shop.test', 'SHOP.test', 'spiffe://test/shop']) {
      expect([name, await ask(ours.issue({ names: ['else.test', name] }))]).toEqual([name, 200]);
    }
    for (const name of ['else.test', 'a.shop.test', 'shop.test.evil.test', '*.test', 'spiffe://test/shop/more']) {
      expect([name, await ask(ours.issue({ names: [name] }))]).toEqual([name, 'ECONNRESET']);
    }
    expect(log.lines).toMatchObject([{ level: 'warn', fields: { names: ['DNS:else.test'] } }]);
  });

  test('knows the names of a client that resumes its session, and not those of sessions before a new authority', async () => {
    const clientCaFile = fileWith(ours.cert);
    const { server, log } = await mutual({ clientCaFile, clientNames: ['shop.test'] });
    const client = { ...ours.issue({ names: ['shop.test'] }), maxVersion: 'TLSv1.2' as const };
    const first = await visit(server, client);
    expect(first).toMatchObject({ status: 'HTTP/1.1 200 OK', resumed: false });
    expect(await visit(server, { ...client, session: first.session })).toMatchObject({
      status: first.status,
      resumed: true,
    });

    writeFileSync(clientCaFile, foreign.cert);
    await eventually(() => expect(log.lines).toMatchObject([{ message: 'the TLS files were read again' }]));
    expect((await visit(server, { ...client, session: first.session })).status).toBe('');
  });
});

describe('files that change', () => {
  test('are read again, for connections that come', async () => {
    const { server, tls, ask } = await start();
    const agent = new Agent({ keepAlive: true });
    closing.push(async () => agent.destroy());
    expect(await ask({ agent })).toBe(200);

    const renewed = foreign.issue();
    writeFileSync(tls.certFile, renewed.cert);
    writeFileSync(tls.keyFile, renewed.key);
    await eventually(async () => expect(await ask({ ca: foreign.cert })).toBe(200));
    // The connection that was there goes on under the certificate that it was made with.
    expect(await ask({ agent })).toBe(200);
    expect(server.listening).toBe(true);
  });

  test('change nothing until they fit together', async () => {
    const { tls, ask, log } = await start();
    const renewed = foreign.issue();
    writeFileSync(tls.certFile, renewed.cert);
    await eventually(() =>
      expect(log.lines).toMatchObject([{ level: 'warn', message: expect.stringMatching('do not fit together') }]),
    );
    expect(await ask()).toBe(200);
    writeFileSync(tls.keyFile, renewed.key);
    await eventually(async () => expect(await ask({ ca: foreign.cert })).toBe(200));
  });

  test('are looked at no more once the server is closed', async () => {
    const closed = await start();
    const open = await start({ certFile: closed.tls.certFile, keyFile: closed.tls.keyFile });
    await new Promise((resolve) => closed.server.close(resolve));
    for (const times of [1, 2]) {
      const renewed = ours.issue();
      writeFileSync(open.tls.keyFile, renewed.key);
      writeFileSync(open.tls.certFile, renewed.cert);
      const isRead = ({ level }: { level: string }) => level === 'info';
      await eventually(() => expect(open.log.lines.filter(isRead)).toHaveLength(times));
    }
    expect(closed.log.lines).toEqual([]);
  });
});
