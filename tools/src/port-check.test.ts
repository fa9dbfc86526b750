import { createServer, type Server } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { freePort } from '@coordinator/task-testing';
import { takenPorts } from './port-check.ts';

const servers: Server[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((settle) => server.close(settle))));
});

async function listen(host?: string): Promise<number> {
  const port = await freePort();
  const server = createServer();
  servers.push(server);
  await new Promise<void>((settle) => server.listen(port, host, settle));
  return port;
}

test.each([['127.0.0.1'], ['0.0.0.0'], [undefined]])(
  'a port taken on %s is named, with the variable to change',
  async (host) => {
    const port = await listen(host);
    const told = await takenPorts([{ user: 'API', variable: 'API_PORT', port }]);
    expect(told).toHaveLength(1);
    expect(told[0]).toContain(`Port ${port} (API) is taken`);
    expect(told[0]).toContain('API_PORT=');
  },
);

test('a port that two want is named', async () => {
  const port = await freePort();
  const told = await takenPorts([
    { user: 'API', variable: 'API_PORT', port },
    { user: 'worker', variable: 'WORKER_PORT', port },
  ]);
  expect(told).toEqual([`Port ${port} is wanted by API and by worker: change WORKER_PORT.`]);
});

test('free ports are nothing to talk about', async () => {
  expect(await takenPorts([{ user: 'API', variable: 'API_PORT', port: await freePort() }])).toEqual([]);
});
