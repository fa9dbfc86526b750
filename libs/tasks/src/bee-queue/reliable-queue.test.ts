import { silentLogger } from '@coordinator/logging';
import { eventually, leakChecks, privateRedis } from '@coordinator/task-testing';
import { afterEach, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { aJob, settlement } from '../conformance/bench.ts';
import { freshBackend } from '../conformance/fresh-backend.ts';
import { ReliableQueue } from './reliable-queue.ts';

const closing: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
const redis = privateRedis();
leakChecks();

/** A way to Redis that can go dead without a word to the client, as behind a firewall that forgets connections. */
async function deadEndingWay() {
  const { hostname, port } = new URL(redis.url);
  const pairs = new Map<Socket, Socket>();
  let connections = 0;
  const server = createServer((client) => {
    connections += 1;
    const upstream = connect(Number(port), hostname);
    pairs.set(client, upstream);
    client.pipe(upstream).pipe(client, { end: false });
    for (const socket of [client, upstream]) socket.on('error', () => undefined);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** How many connections were made. */
    connections: () => connections,
    /** From now on nothing comes back on the connections that there are; Redis knows of none of them. */
    die: () => {
      for (const upstream of pairs.values()) upstream.destroy();
    },
  };
}

test('a pop on a connection that has died in silence is given up, and the next one brings the job', async () => {
  const { backend, connection } = await freshBackend(redis);
  closing.push(() => connection.close());
  const way = await deadEndingWay();
  const done: string[] = [];
  const queue = new ReliableQueue('lms', {
    ...{ url: way.url, backend, leaseMs: 60_000, readable: [], log: silentLogger, onClaimed: () => undefined },
  });
  queue.consume(1, async (claim) => {
    await backend.settle(claim, settlement('completed'));
    done.push(claim.jobId);
  });
  closing.push(() => queue.stopPopping());
  const [first, second] = [aJob(), aJob()];
  await backend.enqueue([first]);
  await eventually(() => expect(done).toEqual([first.id]));

  const before = way.connections();
  way.die();
  // Redis would else give the job to the pop that is gone.
  await eventually(async () => expect(await redis.command('INFO', 'clients')).toContain('blocked_clients:0'));
  await backend.enqueue([second]);
  await eventually(() => expect(done).toEqual([first.id, second.id]), { deadlineMs: 30_000 });
  expect(way.connections()).toBeGreaterThan(before);
}, 60_000);
