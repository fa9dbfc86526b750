import type * as jestGlobals from '@jest/globals';
import { setImmediate } from 'node:timers/promises';
import type { PrivateRedis } from './private-redis.ts';

/** What keeps a process alive, and what closes it; other resources come and go with the work of Node and Jest. */
const CLOSED_BY: Readonly<Record<string, string>> = {
  TCPSocketWrap: 'a connection: drain the TaskWorker, close the RedisConnection, the client or the server',
  TCPServerWrap: 'a listening server: close it',
  PipeWrap: 'a pipe: end the child process or close the local socket',
  ProcessWrap: 'a child process: stop it and wait for its end',
  Timeout: 'a timer or interval: clear it, or drain the TaskWorker',
  FSEventWrap: 'a file watcher: close it',
  StatWatcher: 'a file watcher: unwatch it',
  UDPWrap: 'a UDP socket: close it',
  Worker: 'a worker thread: terminate it',
  MessagePort: 'a message port: close it',
  SignalWrap: 'a signal handler: remove it',
};

/** Sockets that were just destroyed are gone a few turns of the event loop later. */
const SETTLE_MS = 1_000;

/** How many of each kind of resource keep the process alive. */
export type OpenResources = ReadonlyMap<string, number>;

/** The open resources of this process that a test could have left. */
export function openResources(): OpenResources {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    if (Object.hasOwn(CLOSED_BY, kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

/** One line for each kind of resource of which there are more than before. */
export function leaksSince(before: OpenResources, now: OpenResources = openResources()): string[] {
  return [...now]
    .map(([kind, count]) => [kind, count - (before.get(kind) ?? 0)] as const)
    .filter(([, more]) => more > 0)
    .map(([kind, more]) => `${more} x ${kind}: ${CLOSED_BY[kind]}`);
}

/**
 * Makes the test file fail when something stays open after its last test: connections, servers, timers, processes, and
 * with `redis` jobs whose lease was still held when their test was over. Call it below privateRedis() and below every
 * file-level `afterAll`: hooks run in the order in which they are written.
 *
 * @param redis whose leases are checked, too. Default: none
 */
export function leakChecks(redis?: Pick<PrivateRedis, 'heldLeases'>): void {
  // Required here and not at the top: @jest/globals refuses to load in a process that is no test, such as the sandbox.
  const { afterAll, beforeAll } = require('@jest/globals') as typeof jestGlobals;
  let before: OpenResources = new Map();
  beforeAll(() => {
    before = openResources();
  });
  afterAll(async () => {
    const leaks = [
      ...(await leaksThatStay(before)),
      ...(redis?.heldLeases ?? []).map((lease) => `lease held: ${lease}`),
    ];
    if (leaks.length > 0) throw new Error(`This test file leaves something open:\n  ${leaks.join('\n  ')}`);
  });
}

/** The leaks since `before` that are still there after a second; returns at once when there are none. */
export async function leaksThatStay(before: OpenResources): Promise<string[]> {
  const endMs = performance.now() + SETTLE_MS;
  let leaks = leaksSince(before);
  while (leaks.length > 0 && performance.now() < endMs) {
    await setImmediate();
    leaks = leaksSince(before);
  }
  return leaks;
}
