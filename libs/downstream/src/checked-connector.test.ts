import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { silentLogger } from '@coordinator/logging';
import { RedisConnection } from '@coordinator/tasks';
import { CertificateAuthority, RecordingLog } from '@coordinator/task-testing';
import { DownstreamClient } from './downstream-client.ts';
import { shareDownstreams } from './share-downstreams.ts';

let server: Server;
let port: number;
let requests: number;
let log: RecordingLog;
let client: DownstreamClient | undefined;
let stopSharing: () => void;

beforeEach(async () => {
  requests = 0;
  log = new RecordingLog();
  stopSharing = () => undefined;
  server = createServer((_request, response) => {
    requests++;
    response.end('{}');
  });
  // What `localhost` resolves to differs from machine to machine.
  server.listen(0);
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});

afterEach(async () => {
  stopSharing();
  await client?.close();
  server.close();
});

async function call(host: string, privateAddresses?: string[]): Promise<unknown> {
  // Never connected: the state of downstreams is not what this is about.
  const connection = new RedisConnection({ url: 'redis://127.0.0.1:1', log: silentLogger });
  stopSharing = shareDownstreams({ connection, log, privateAddresses });
  client = new DownstreamClient({ name: 'shop', baseUrl: `http://${host}:${port}` });
  return client.request({ method: 'POST', path: '/', idempotencyKey: 'k' });
}

test('a name that leads to a private address is called only where its range is named', async () => {
  await expect(call('localhost', ['127.0.0.0/8', '::1/128'])).resolves.toMatchObject({ status: 200 });
  expect(requests).toBe(1);
});

test('a name that leads to a private address is not sent a byte elsewhere, and somebody can mend it', async () => {
  await expect(call('localhost', ['10.0.0.0/8'])).rejects.toMatchObject({
    kind: 'transient',
    message: 'shop: POST / was not sent (address-refused)',
  });
  expect(log.lines).toEqual([
    {
      level: 'warn',
      message: 'a downstream leads to an address that is not allowed, see DOWNSTREAM_PRIVATE_ADDRESSES',
      fields: { host: 'localhost', address: expect.stringMatching(/^(::1|127\.0\.0\.1)$/) },
    },
  ]);
  expect(requests).toBe(0);
});

test('a name may lead to this machine where nothing is set', async () => {
  await expect(call('localhost')).resolves.toMatchObject({ status: 200 });
});

test.each(['127.0.0.1', '[::1]', '[::ffff:7f00:1]'])(
  'the private address %s is called where it is written',
  async (host) => {
    await expect(call(host, [])).resolves.toMatchObject({ status: 200 });
  },
);

test('a server of an unknown authority gets nothing, whatever NODE_TLS_REJECT_UNAUTHORIZED says', async () => {
  const secure = createSecureServer(new CertificateAuthority().issue(), (_request, response) => {
    requests++;
    response.end('{}');
  });
  secure.listen(0, '127.0.0.1');
  await once(secure, 'listening');
  const { port: securePort } = secure.address() as AddressInfo;
  // A process of its own: the environment that Jest gives to tests is a copy, at which Node does not look.
  const program = `
    require('@swc-node/register');
    const { DownstreamClient } = require(${JSON.stringify(join(__dirname, 'index.ts'))});
    const client = new DownstreamClient({ name: 'shop', baseUrl: 'https://127.0.0.1:${securePort}' });
    const end = (text) => process.stdout.write(text, () => process.exit());
    client.request({ method: 'GET', path: '/' }).then(() => end('answered'), (error) => end(error.message));`;
  const child = spawn(process.execPath, ['--conditions=@coordinator/source', '-e', program], {
    stdio: ['ignore', 'pipe', 'ignore'],
    cwd: join(__dirname, '..'),
    env: { ...process.env, NODE_TLS_REJECT_UNAUTHORIZED: '0' },
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
  try {
    await once(child, 'close');
    expect([said, requests]).toEqual(['shop: GET / was not sent (UNABLE_TO_VERIFY_LEAF_SIGNATURE)', 0]);
  } finally {
    secure.close();
  }
}, 30_000);
