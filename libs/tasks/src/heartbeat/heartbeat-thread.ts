import { createLogger, silentLogger } from '@coordinator/logging';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { RedisBackend } from '../bee-queue/redis-backend.ts';
import { RedisConnection } from '../bee-queue/redis-connection.ts';
import { isUnavailable } from '../error-codes.ts';
import type { Hold, StopOrder } from '../queue-backend.ts';
import { repeat } from '../repeat.ts';
import type { HeartbeatThreadData, HeartbeatThreadMessage } from './heartbeat.ts';
import { LeaseClock } from './lease-clock.ts';
import { Pulse } from './pulse.ts';
import { SharedHolds } from './shared-holds.ts';
import { LOOK_EVERY_MS, StandstillWatch } from './standstill.ts';

/*
 * Renews the leases of its process from a thread of its own, so that a handler that blocks the event loop does not lose
 * the jobs of all others, and somebody is there to say that it blocks.
 */
const { redisUrl, redisTls, keyPrefix, leaseMs, beatMs, release, ...shared } = workerData as HeartbeatThreadData;
const port = parentPort as MessagePort;
const log = createLogger({ service: 'coordinator-worker', release });
// The connection of the process has said already that Redis is away.
const connection = new RedisConnection({ url: redisUrl, tls: redisTls, log: silentLogger });
const backend = new RedisBackend(connection, { keyPrefix });
const pulse = new Pulse(shared.pulse);
const standstill = new StandstillWatch();

const sharedHolds = new SharedHolds(shared.holds);
const leases = new LeaseClock(leaseMs);
// Well within the time by which another worker looks for leases that have run out.
const lookAtLeasesMs = Math.min(LOOK_EVERY_MS, leaseMs / 10);

void connection.connect().catch(() => undefined);
repeat(
  beatMs,
  async () => {
    const held = [...holds()];
    leases.hold(held.flatMap(([, ofQueue]) => tokensOf(ofQueue)));
    // Each by itself: what is wrong with one queue must not cost the leases of another.
    await Promise.all(held.map(([queue, ofQueue]) => renew(queue, ofQueue).catch(report)));
  },
  report,
);

/** What the process runs, by queue. A rewrite takes microseconds, and the event loop does nothing else meanwhile. */
function holds(): ReadonlyMap<string, readonly Hold[]> {
  for (;;) {
    const read = sharedHolds.read();
    if (read) return read;
  }
}

async function renew(queue: string, held: readonly Hold[]): Promise<void> {
  const askedAt = performance.now();
  const orders = await backend.heartbeat(queue, held, leaseMs);
  const lost = new Set(orders.filter(({ why }) => why === 'lost').map(({ token }) => token));
  leases.renewed(
    tokensOf(held).filter((token) => !lost.has(token)),
    askedAt,
  );
  stop(orders);
}

function stop(orders: readonly StopOrder[]): void {
  if (orders.length > 0) port.postMessage({ orders } satisfies HeartbeatThreadMessage);
}

function tokensOf(held: readonly Hold[]): string[] {
  return held.map(({ token }) => token);
}

function report(error: unknown): void {
  if (!isUnavailable(error)) log.error({ err: error }, 'a heartbeat failed');
}

setInterval(() => {
  const found = standstill.look(pulse.beats);
  if (found === 'none') return;
  const running = Array.from(holds().values(), (held) => held.length).reduce((sum, count) => sum + count, 0);
  const fields = { ...pulse.lastStarted, blockedMs: standstill.blockedMs, running };
  if (found === 'tell') return log.error(fields, 'the event loop is blocked: no other job goes on meanwhile');
  log.fatal(fields, 'the event loop does not turn any more: ending the process');
  // Nothing less ends a process whose event loop does not turn.
  process.kill(process.pid, 'SIGKILL');
}, LOOK_EVERY_MS);
setInterval(() => {
  // Told before, and not when it has happened: the next attempt may begin then.
  stop(leases.over(lookAtLeasesMs).map((token) => ({ token, why: 'over' })));
}, lookAtLeasesMs);
port.postMessage({ orders: [] } satisfies HeartbeatThreadMessage);
