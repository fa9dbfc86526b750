import { createLogger, silentLogger } from '@coordinator/logging';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { RedisBackend } from '../bee-queue/redis-backend.ts';
import { RedisConnection } from '../bee-queue/redis-connection.ts';
import { isUnavailable } from '../error-codes.ts';
import type { Hold } from '../queue-backend.ts';
import { repeat } from '../repeat.ts';
import type { HeartbeatNews, HeartbeatThreadData, HeartbeatThreadMessage } from './heartbeat.ts';
import { Pulse } from './pulse.ts';
import { LOOK_EVERY_MS, StandstillWatch } from './standstill.ts';

/*
 * Renews the leases of its process from a thread of its own, so that a handler that blocks the event loop does not lose
 * the jobs of all others, and somebody is there to say that it blocks.
 */
const { redisUrl, keyPrefix, leaseMs, beatMs, pulse: buffer, release } = workerData as HeartbeatThreadData;
const port = parentPort as MessagePort;
const log = createLogger({ service: 'coordinator-worker', release });
// The connection of the process has said already that Redis is away.
const connection = new RedisConnection({ url: redisUrl, log: silentLogger });
const backend = new RedisBackend(connection, { keyPrefix });
const pulse = new Pulse(buffer);
const standstill = new StandstillWatch();

/** What the process runs, by queue, as far as the event loop has said. */
let holds = new Map<string, readonly Hold[]>();
port.on('message', (news: HeartbeatNews) => {
  if ('all' in news) holds = new Map(news.all);
  else holds.set(news.queue, [...(holds.get(news.queue) ?? []), ...news.claimed]);
});

void connection.connect().catch(() => undefined);
repeat(
  beatMs,
  async () => {
    for (const [queue, held] of holds) {
      // One by one: what is wrong with one queue must not cost the leases of another.
      await renew(queue, held).catch(report);
    }
  },
  report,
);

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
  const running = Array.from(holds.values(), (held) => held.length).reduce((sum, count) => sum + count, 0);
  const fields = { ...pulse.lastStarted, blockedMs: standstill.blockedMs, running };
  if (found === 'tell') return log.error(fields, 'the event loop is blocked: no other job goes on meanwhile');
  log.fatal(fields, 'the event loop does not turn any more: ending the process');
  // Nothing less ends a process whose event loop does not turn.
  process.kill(process.pid, 'SIGKILL');
}, LOOK_EVERY_MS);
port.postMessage({ orders: [] } satisfies HeartbeatThreadMessage);
