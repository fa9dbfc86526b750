import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { TcpProxy } from './tcp-proxy.ts';

let echo: Server;
let proxy: TcpProxy;
let received: string;
const open: Socket[] = [];

beforeEach(async () => {
  received = '';
  echo = createServer((socket) => {
    open.push(socket);
    socket
      .on('error', () => undefined)
      .on('data', (piece: Buffer) => {
        received += piece.toString();
        socket.write(piece);
      });
  });
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  proxy = new TcpProxy((echo.address() as AddressInfo).port);
  await proxy.start();
});

afterEach(async () => {
  for (const socket of open.splice(0)) socket.destroy();
  await proxy.stop();
  await new Promise((resolve) => echo.close(resolve));
});

async function connected(): Promise<Socket> {
  const socket = connect(proxy.port, '127.0.0.1');
  open.push(socket);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

async function ask(socket: Socket, text: string): Promise<string> {
  const answered = once(socket, 'data');
  socket.write(text);
  const [piece] = (await answered) as [Buffer];
  return piece.toString();
}

/** Resolves when the far side has seen the text; a round trip on another connection could overtake it. */
async function arrived(text: string): Promise<void> {
  while (!received.includes(text)) await new Promise((wake) => setImmediate(wake));
}

describe('a proxy', () => {
  test('passes both ways', async () => {
    expect(await ask(await connected(), 'ping')).toBe('ping');
  });

  test('that refuses has cut what it had and takes nothing, and takes it again at the same port', async () => {
    const socket = await connected();
    await ask(socket, 'ping');
    const closed = once(socket, 'close');
    const { port } = proxy;
    await proxy.behave('refuse');
    await closed;
    const refused = connect(port, '127.0.0.1');
    expect(((await once(refused, 'error')) as [NodeJS.ErrnoException])[0].code).toBe('ECONNREFUSED');

    await proxy.behave('pass');
    expect(proxy.port).toBe(port);
    expect(await ask(await connected(), 'ping')).toBe('ping');
  });

  test('that resets tells its connections so', async () => {
    const socket = await connected();
    await ask(socket, 'ping');
    const failed = once(socket, 'error');
    await proxy.behave('reset');
    expect(((await failed) as [NodeJS.ErrnoException])[0].code).toBe('ECONNRESET');
  });

  test('that has stalled keeps those connections dead and lets new ones through', async () => {
    const dead = await connected();
    await ask(dead, 'ping');
    await proxy.behave('stall');
    dead.write('into the void');
    await proxy.behave('pass');
    expect(await ask(await connected(), 'fresh')).toBe('fresh');

    expect(received).toBe('pingfresh');
    expect(dead.destroyed).toBe(false);
  });

  test('that has stalled does not tell the far end that somebody has gone', async () => {
    const dead = await connected();
    await ask(dead, 'ping');
    const far = open.at(-1) as Socket;
    await proxy.behave('stall');
    dead.destroy();
    await once(dead, 'close');
    await proxy.behave('pass');
    await ask(await connected(), 'fresh');
    expect(far.destroyed).toBe(false);
    await Promise.all([once(far, 'close'), proxy.behave('reset')]);
  });

  test('leads elsewhere when told so, and has cut what it had', async () => {
    const socket = await connected();
    await ask(socket, 'ping');
    const closed = once(socket, 'close');
    const other = createServer((its) => void its.on('error', () => undefined).end('other'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    proxy.lead((other.address() as AddressInfo).port);
    await closed;
    const [piece] = (await once(await connected(), 'data')) as [Buffer];
    expect(piece.toString()).toBe('other');
    await new Promise((resolve) => other.close(resolve));
  });

  test('that drops replies has the command done and says nothing', async () => {
    const socket = await connected();
    await ask(socket, 'ping');
    await proxy.behave('drop-replies');
    let answered = false;
    socket.once('data', () => (answered = true));
    socket.write('done all the same');
    await arrived('done all the same');
    await proxy.behave('pass');
    await ask(await connected(), 'another');
    expect(answered).toBe(false);
  });
});
