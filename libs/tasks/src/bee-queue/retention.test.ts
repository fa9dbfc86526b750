import { silentLogger } from '@coordinator/logging';
import { leakChecks, privateRedis } from '@coordinator/task-testing';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Claim, Settlement } from '../queue-backend.ts';
import { RedisBackend } from './redis-backend.ts';
import { RedisConnection } from './redis-connection.ts';

const redis = privateRedis();
leakChecks();

const HOUR_MS = 3_600_000;
const CANARY = 'canary-in-the-payload';

let connection: RedisConnection;
let prefix: string;
let backend: RedisBackend;
beforeEach(async () => {
  connection = new RedisConnection({ url: redis.url, log: silentLogger });
  await connection.connect();
  prefix = redis.freshPrefix();
  // With the retention that applies when nothing is set.
  backend = new RedisBackend(connection, { keyPrefix: prefix });
});
afterEach(() => connection.close());

/** Has a job end like this, after a step whose result holds of the payload, too. */
async function end(state: Settlement['state']): Promise<string> {
  const id = randomUUID();
  const subject = 'order:D-1001';
  const envelope = { v: 1, task: 'lms.enrol', payloadVersion: 1, release: '1.0.0', trace: {}, subject };
  const dedupe = { key: `lms.enrol:${id}`, fingerprint: 'f', windowMs: 96 * HOUR_MS };
  const job = { id, task: 'lms.enrol', queue: 'lms', envelope: JSON.stringify(envelope), subject, dedupe };
  await backend.enqueue([{ ...job, payload: JSON.stringify({ user: CANARY }), delayMs: 0, lane: undefined }]);
  await connection.command('RPOPLPUSH', `${prefix}:q:lms:waiting`, `${prefix}:q:lms:active`);
  const claim = (await backend.claim('lms', id, 60_000)) as Claim;
  await backend.saveStep(claim, 'find', JSON.stringify(CANARY));
  await backend.settle(claim, {
    ...{ state, outcome: state, delayMs: 0, spendsAttempt: true, error: undefined },
    ...{ attemptReport: undefined, children: [] },
  });
  return id;
}

/** The keys whose value holds what the payload held, with the time that each has left. */
async function canaries(): Promise<number[]> {
  const keys = (await connection.command('KEYS', `${prefix}:*`)) as string[];
  expect(keys.length).toBeGreaterThan(3);
  const left: number[] = [];
  for (const key of keys) {
    const type = (await connection.command('TYPE', key)) as string;
    const held = type === 'hash' ? await connection.command('HGETALL', key) : await connection.command('DUMP', key);
    if (JSON.stringify(held).includes(CANARY)) left.push(Number(await connection.command('PTTL', key)));
  }
  return left;
}

describe('what Redis keeps of a payload', () => {
  test.each(['completed', 'cancelled'] as const)('is nothing, as soon as its job is %s', async (state) => {
    const id = await end(state);
    expect(await canaries()).toEqual([]);
    const leftMs = Number(await connection.command('PTTL', `${prefix}:job:${id}`));
    expect(leftMs).toBeGreaterThan(95 * HOUR_MS);
    expect(leftMs).toBeLessThanOrEqual(96 * HOUR_MS);
  });

  test('is gone 30 days after its job has become a dead letter', async () => {
    await end('dead');
    const [leftMs, ...others] = await canaries();
    expect(others).toEqual([]);
    expect(leftMs).toBeGreaterThan(29 * 24 * HOUR_MS);
    expect(leftMs).toBeLessThanOrEqual(30 * 24 * HOUR_MS);
  });
});
