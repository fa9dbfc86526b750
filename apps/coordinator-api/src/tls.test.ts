import {
  CertificateAuthority,
  leakChecks,
  privateRedis,
  RecordingLog,
  type IssuedCertificate,
} from '@coordinator/task-testing';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type ConnectionOptions } from 'node:tls';
import { getRequest, orderRequest } from './fixtures/raw-request.ts';
import { startApi, type RunningApi } from './fixtures/running-api.ts';

const redis = privateRedis();
leakChecks(redis);

const folder = mkdtempSync(join(tmpdir(), 'coordinator-api-tls-'));
afterAll(() => rmSync(folder, { recursive: true }));
let authority: CertificateAuthority;
let [server, shop, stranger]: IssuedCertificate[] = [];
// Before any server runs: to make keys takes the event loop for so long that a server would call itself overloaded.
beforeAll(() => {
  authority = new CertificateAuthority();
  server = authority.issue();
  shop = authority.issue({ names: ['shop.test'] });
  stranger = authority.issue({ names: ['else.test'] });
});
const closing: (() => Promise<void>)[] = [];
afterEach(() => Promise.all(closing.splice(0).map((close) => close())));

function fileWith(name: string, content: string): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

/** An API that asks callers for a certificate with the name shop.test. */
async function start(): Promise<RunningApi> {
  const { cert, key } = server as IssuedCertificate;
  const [certFile, keyFile] = [fileWith('cert', cert), fileWith('key', key)];
  const clientCaFile = fileWith('ca', authority.cert);
  const tls = { certFile, keyFile, clientCaFile, clientNames: ['shop.test'], log: new RecordingLog() };
  const api = await startApi({ redisUrl: redis.url, prefix: redis.freshPrefix(), tls });
  closing.push(() => api.close());
  return api;
}

/** All that comes back for these bytes until the connection is closed. */
async function ask({ port }: RunningApi, bytes: Buffer | string, client: ConnectionOptions = {}): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', ca: authority.cert, ...client }).setEncoding('latin1');
  let answer = '';
  socket.on('data', (text: string) => (answer += text)).on('error', () => undefined);
  socket.write(bytes);
  await new Promise((resolve) => socket.once('close', resolve));
  return answer;
}

/** What a proxy in front would say of the caller it has let in. */
const FORGED = 'Hash=00;Subject="CN=shop";URI=spiffe://test/shop;DNS=shop.test';
const order = orderRequest({ headers: { connection: 'close', 'x-forwarded-client-cert': FORGED } });

test('an order is accepted from a caller who shows its certificate and its token', async () => {
  const api = await start();
  expect(await ask(api, order, shop)).toMatch(/^HTTP\/1.1 202 /);
});

test('a certificate stands for no token', async () => {
  const headers = { connection: 'close', authorization: undefined, 'x-forwarded-client-cert': FORGED };
  const answer = await ask(await start(), getRequest('/v1/jobs/j1', { headers }), shop);
  expect(answer).toMatch(/^HTTP\/1.1 401 .*COORD_UNAUTHORIZED/s);
});

test('a header that says which certificate a caller has shown is believed of nobody', async () => {
  const api = await start();
  expect(await ask(api, order)).toBe('');
  expect(await ask(api, order, stranger)).toBe('');
  expect(await redis.command('KEYS', '*job:*')).toEqual([]);
});

test('what is no HTTP is refused inside of TLS as it is outside', async () => {
  const answer = await ask(await start(), 'junk\r\n\r\n', shop);
  expect(answer).toMatch(/^HTTP\/1.1 400 .*COORD_REQUEST_MALFORMED/s);
});
