import { silentLogger } from '@coordinator/logging';
import { freePort, leakChecks, privateRedis } from '@coordinator/task-testing';
import { type NewJob, RedisBackend, RedisConnection } from '@coordinator/tasks';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { auditCommand } from './audit-command.ts';

const redis = privateRedis();
leakChecks();

let connection: RedisConnection;
let backend: RedisBackend;
let said: string[];
const say = (text: string) => void said.push(text);
beforeEach(async () => {
  said = [];
  process.env.REDIS_URL = redis.url;
  connection = new RedisConnection({ url: redis.url, log: silentLogger });
  await connection.connect();
  backend = new RedisBackend(connection);
});
afterEach(async () => {
  delete process.env.REDIS_URL;
  await connection.command('FLUSHALL');
  connection.close();
});

async function accept(queue = 'lms'): Promise<string> {
  const unset = { subject: undefined, lane: undefined, dedupe: undefined };
  const job: NewJob = {
    id: randomUUID(),
    task: 'lms.enrol',
    queue,
    envelope: JSON.stringify({ v: 1, task: 'lms.enrol' }),
    payload: '{}',
    delayMs: 0,
    ...unset,
  };
  await backend.enqueue([job]);
  return job.id;
}

describe('npm run audit', () => {
  test('prints the books of each queue, and that they balance', async () => {
    await accept();
    await accept('mail');
    expect(await auditCommand([], say)).toBe(0);
    expect(said.join()).toMatch(/queue +accepted +waiting.*\n +lms +1 +1 .*\n +mail +1 +1 /);
    expect(said.join()).toContain('The books balance.');
  });

  test('names what is wrong, and ends with 1 until it is repaired', async () => {
    const jobId = await accept();
    await connection.command('DEL', '{cc}:q:lms:waiting');
    expect(await auditCommand([], say)).toBe(1);
    expect(said.join()).toContain(`wrong  ${jobId} is waiting and not in q:lms:waiting`);
    expect(said.join()).toContain('lms: 1 accepted that no index holds.');
    expect(await auditCommand(['--repair'], say)).toBe(0);
    expect(said.at(-1)).toContain(`repaired  ${jobId} is waiting and not in q:lms:waiting`);
    expect(await auditCommand(['--json'], say)).toBe(0);
    expect(JSON.parse(said.at(-1) ?? '')).toMatchObject({ balanced: true, faults: [], queues: [{ waiting: 1 }] });
  });

  test('says when no Redis can be had, and which options there are', async () => {
    const port = await freePort();
    process.env.REDIS_URL = `redis://127.0.0.1:${port}`;
    await expect(auditCommand([], say)).rejects.toThrow(`No Redis answers at 127.0.0.1:${port} within 5 s`);
    await expect(auditCommand(['--fix'], say)).rejects.toThrow("Unknown option '--fix'");
    expect(await auditCommand(['--help'], say)).toBe(0);
    expect(said.join()).toContain('Usage: npm run audit');
  });
});
