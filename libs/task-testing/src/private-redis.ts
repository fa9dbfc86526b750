import { silentLogger } from '@coordinator/logging';
import { RedisConnection } from '@coordinator/tasks';
import type * as jestGlobals from '@jest/globals';
import { startRedis, type RedisServer, type StartRedisOptions } from './redis-server.ts';

/** A Redis that no other test file knows; see {@link privateRedis}. */
export interface PrivateRedis {
  /** For example `redis://127.0.0.1:23456`. Throws before the tests of the file begin. */
  readonly url: string;
  /** The process, to kill, restart or pause. Throws before the tests of the file begin. */
  readonly server: RedisServer;
  /** A key prefix that nobody has used yet, with a hash tag as RedisBackend wants it: `{test-1}`. */
  freshPrefix(): string;
  /** Runs one command, on a connection of its own. @throws Error when Redis does not answer within 5 s */
  command(...args: string[]): Promise<unknown>;
  /** Forgets all data. Runs by itself before every test. */
  flush(): Promise<void>;
  /** Leases that were held when their test was over, as `<test>: <key> <job id>`; {@link leakChecks} reads them. */
  readonly heldLeases: readonly string[];
}

/** Of all `…:leases` sets: `<key> <job id>` of each entry. Then all data go. */
const LEASES_THEN_FLUSH = `
local held = {}
for _, key in ipairs(redis.call('KEYS', '*:leases')) do
  for _, id in ipairs(redis.call('ZRANGE', key, 0, -1)) do held[#held + 1] = key .. ' ' .. id end
end
redis.call('FLUSHALL')
return held`;
const DEADLINE_MS = 5_000;

/**
 * Gives a test file a real Redis: started before its first test, empty before each, stopped after the last. Call it at
 * the top of the file, once. What uses it is to be closed in the test or in `afterEach`; a file-level `afterAll` that
 * does so has to stand above this call, as hooks run in the order in which they are written.
 *
 * @param options of {@link startRedis}. Default: nothing is written to disk, `appendfsync: 'no-aof'`
 */
export function privateRedis(options: StartRedisOptions = {}): PrivateRedis {
  // Required here and not at the top: @jest/globals refuses to load in a process that is no test, such as the sandbox.
  const { afterAll, beforeAll, beforeEach, expect } = require('@jest/globals') as typeof jestGlobals;
  let server: RedisServer | undefined;
  let prefixes = 0;
  let lastTest = '';
  const heldLeases: string[] = [];

  const running = (): RedisServer => {
    if (!server)
      throw new Error('privateRedis() starts its Redis before the first test: read it inside a test or hook');
    return server;
  };
  const flush = async () => {
    const held = (await commandOn(running().url, 'EVAL', LEASES_THEN_FLUSH, '0')) as string[];
    heldLeases.push(...held.map((lease) => `${lastTest}: ${lease}`));
  };

  beforeAll(async () => {
    server = await startRedis({ appendfsync: 'no-aof', ...options });
  });
  beforeEach(async () => {
    await flush();
    lastTest = expect.getState().currentTestName ?? '';
  });
  afterAll(async () => {
    if (!server) return;
    // A test may have left it killed or frozen; then it holds nothing that could be told.
    server.resume();
    await flush().catch(() => undefined);
    await server.stop();
  });

  return {
    get url() {
      return running().url;
    },
    get server() {
      return running();
    },
    heldLeases,
    freshPrefix: () => `{test-${++prefixes}}`,
    command: (...args) => commandOn(running().url, ...args),
    flush,
  };
}

async function commandOn(url: string, ...args: string[]): Promise<unknown> {
  const connection = new RedisConnection({ url, log: silentLogger, commandDeadlineMs: DEADLINE_MS });
  // Connecting has no end of its own while nobody answers.
  const deadline = setTimeout(() => connection.close(), DEADLINE_MS);
  try {
    await connection.connect();
    return await connection.command(...args);
  } finally {
    clearTimeout(deadline);
    connection.close();
  }
}
