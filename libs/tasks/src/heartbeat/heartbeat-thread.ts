import { createLogger, silentLogger } from '@coordinator/logging';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { RedisBackend } from '../bee-queue/redis-backend.ts';
import { RedisConnection } from '../bee-queue/redis-connection.ts';
import { isUnavailable } from '../error-codes.ts';
import type { Hold } from '../queue-backend.ts';
import { repeat } from '../repeat.ts';
import type { HeartbeatThreadData, HeartbeatThreadMessage } from './heartbeat.ts';
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

void connection.connect().catch(() => undefined);
repeat(
  beatMs,
  async () => {
    for (const [queue, held] of holds()) {
      // One by one: what is wrong with one queue must not cost the leases of another.
      await renew(queue, held).catch(report);
    }
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
  const orders = await backend.heartbeat(queue, held, leaseMs);
  if (orders.length > 0) port.postMessage({ orders } satisfies HeartbeatThreadMessage);
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
port.postMessage({ orders: [] } satisfies HeartbeatThreadMessage);
