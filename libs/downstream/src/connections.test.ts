import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Connections, type ConnectionLimits } from './connections.ts';
import type { Ending } from './ending.ts';

let server: Server;
let port: number;
let connections: Connections;
let open: Set<Socket>;
let mostOpen: number;
let everOpened: number;
let served: string[];
let answer: (response: ServerResponse) => void;

beforeEach(async () => {
  open = new Set();
  served = [];
  mostOpen = everOpened = 0;
  answer = (response) => response.end();
  server = createServer((request, response) => {
    served.push(request.url ?? '');
    answer(response);
  });
  server.on('connection', (socket) => {
    everOpened++;
    open.add(socket.on('close', () => open.delete(socket)));
    mostOpen = Math.max(mostOpen, open.size);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
  connections = connectionsWith({});
});

afterEach(async () => {
  server.closeAllConnections();
  if (server.listening) await new Promise((resolve) => server.close(resolve));
  await connections.close();
});

function connectionsWith(limits: Partial<ConnectionLimits>): Connections {
  return new Connections({
    connectTimeoutMs: 2_000,
    headersTimeoutMs: 5_000,
    maxResponseBytes: 1_000,
    maxConnections: 2,
    ...limits,
  });
}

async function send(path: string, signal = new AbortController().signal): Promise<Ending> {
  const held = await connections.hold(`http://127.0.0.1:${port}`, signal);
  if (!held) throw new Error('No connection was free');
  const sent = held.send({ method: 'POST', path, headers: {} }, signal);
  held.giveBack();
  return sent;
}

const statuses = (endings: Ending[]) => endings.map(({ head }) => head?.status);

test('there are never more connections than allowed', async () => {
  const endings = await Promise.all(Array.from({ length: 50 }, (_, n) => send(`/${n}`)));
  expect(statuses(endings)).toEqual(Array(50).fill(200));
  expect([mostOpen, everOpened]).toEqual([2, 2]);
});

test('a header that cannot be sent costs no connection', async () => {
  for (const header of ['Łukasz', 'a\r\nb: c', 'a\0b']) {
    const held = await connections.hold(`http://127.0.0.1:${port}`, new AbortController().signal);
    const sent = held!.send(
      { method: 'POST', path: '/', headers: { 'x-customer': header } },
      new AbortController().signal,
    );
    held!.giveBack();
    expect((await sent).fault).toEqual({ kind: 'refused', type: 'header-invalid' });
  }
  expect(statuses(await Promise.all([send('/'), send('/'), send('/')]))).toEqual([200, 200, 200]);
});

test('nor after the server was away', async () => {
  await new Promise((resolve) => server.close(resolve));
  const away = await Promise.all(Array.from({ length: 20 }, () => send('/')));
  expect(new Set(away.map(({ fault }) => `${fault?.kind} ${fault?.type}`))).toEqual(new Set(['unsent ECONNREFUSED']));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const back = await Promise.all(Array.from({ length: 50 }, () => send('/')));
  expect(statuses(back)).toEqual(Array(50).fill(200));
  expect(mostOpen).toBe(2);
});

test('a request that is given up while it waits for a connection ends at once, is never sent and costs no connection', async () => {
  connections = connectionsWith({ maxConnections: 1 });
  const held: ServerResponse[] = [];
  const arrived = new Promise<void>((resolve) => {
    answer = (response) => {
      held.push(response);
      resolve();
    };
  });
  const first = send('/first');
  await arrived;
  const caller = new AbortController();
  const givenUp = [send('/a', caller.signal), send('/b', caller.signal)];
  const last = send('/last');
  caller.abort();
  const ends = (await Promise.allSettled(givenUp)) as { reason?: unknown }[];
  expect(ends.map(({ reason }) => reason)).toEqual([caller.signal.reason, caller.signal.reason]);

  answer = (response) => response.end();
  held[0]?.end();
  expect(statuses(await Promise.all([first, last]))).toEqual([200, 200]);
  expect([served, everOpened]).toEqual([['/first', '/last'], 1]);
});

test('a request that is given up while its connection is made is never sent and leaves the connection to others', async () => {
  connections = connectionsWith({ maxConnections: 1 });
  const caller = new AbortController();
  const givenUp = send('/given-up', caller.signal);
  // The connection is asked for by now and cannot be there before the next turn of the event loop.
  await Promise.resolve();
  caller.abort();
  expect((await givenUp).fault).toMatchObject({ kind: 'unsent', type: 'aborted' });
  expect(statuses(await Promise.all([send('/a'), send('/b'), send('/c')]))).toEqual([200, 200, 200]);
  expect([served, everOpened]).toEqual([['/a', '/b', '/c'], 1]);
});

test('requests that wait when it closes are not sent; close can be called twice', async () => {
  connections = connectionsWith({ maxConnections: 1 });
  const arrived = new Promise<ServerResponse>((resolve) => {
    answer = resolve;
  });
  const first = send('/first');
  const held = await arrived;
  const waiting = send('/waiting');
  const closed = connections.close();
  held.end();
  expect((await first).head?.status).toBe(200);
  await expect(waiting).rejects.toBe(Connections.closed);
  await closed;
  await connections.close();
  expect(served).toEqual(['/first']);
});
