import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CertificateAuthority, eventually, freePort, startRedis, type RedisServer } from '@coordinator/task-testing';
import { startStack } from '@coordinator/tools';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Coordinator } from './coordinator.ts';

const folder = mkdtempSync(join(tmpdir(), 'coordinator-tls-'));
let redis: RedisServer | undefined;
let coordinator: Coordinator | undefined;

function file(name: string, content: string): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

/** A Redis that wants a certificate of its callers, or undefined where the one of this machine was built without TLS. */
async function startTlsRedis(port: number, authority: CertificateAuthority): Promise<RedisServer | undefined> {
  const { cert, key } = authority.issue();
  const files = {
    cert: file('redis.crt', cert),
    key: file('redis.key', key),
    'ca-cert': file('ca.crt', authority.cert),
  };
  const args = Object.entries(files).flatMap(([name, path]) => [`--tls-${name}-file`, path]);
  try {
    return await startRedis({ args: ['--tls-port', String(port), '--maxmemory', '1gb', ...args] });
  } catch (error) {
    if (!/Bad directive/.test((error as Error).message)) throw error;
    console.warn('The redis-server of this machine was built without TLS: an order over TLS is not tested.');
    return undefined;
  }
}

beforeAll(async () => {
  const [port, authority] = [await freePort(), new CertificateAuthority()];
  redis = await startTlsRedis(port, authority);
  if (!redis) return;
  const { cert, key } = authority.issue({ names: ['coordinator.test'] });
  const env = {
    REDIS_TLS_CA_FILE: file('ca.crt', authority.cert),
    REDIS_TLS_CERT_FILE: file('our.crt', cert),
    REDIS_TLS_KEY_FILE: file('our.key', key),
  };
  const stack = await startStack({ redis: `rediss://localhost:${port}`, env });
  coordinator = new Coordinator(stack);
}, 60_000);
afterAll(async () => {
  await coordinator?.stack.stop();
  await redis?.stop();
  rmSync(folder, { recursive: true });
}, 60_000);

async function deliverOrder(through: Coordinator): Promise<void> {
  const order = through.newOrder();
  await eventually(async () => expect((await through.placeOrder(order)).status).toBe(202));
  await eventually(async () => {
    const states = (await through.timeline(order.orderNumber)).map(({ state }) => state);
    expect(states).toEqual(['completed', 'completed']);
  });
}

test('an order goes through over TLS, and the next one after Redis was restarted', async () => {
  if (!coordinator || !redis) return;
  await deliverOrder(coordinator);
  await redis.restart();
  await deliverOrder(coordinator);
});
