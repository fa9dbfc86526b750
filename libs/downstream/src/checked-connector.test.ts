import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { silentLogger } from '@coordinator/logging';
import { RedisConnection } from '@coordinator/tasks';
import { RecordingLog } from '@coordinator/task-testing';
import { DownstreamClient } from './downstream-client.ts';
import { shareDownstreams } from './share-downstreams.ts';

let server: Server;
let port: number;
let requests: number;
let log: RecordingLog;
let client: DownstreamClient;
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
  await client.close();
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
