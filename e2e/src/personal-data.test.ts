import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '@coordinator/task-testing';
import { startStack } from '@coordinator/tools';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Coordinator } from './coordinator.ts';

const ERASE = resolve(__dirname, '../../tools/dist/erase.js');
const EMAIL = 'canary.ada@example.test';

let coordinator: Coordinator;
const lines: string[] = [];
beforeAll(async () => {
  const env = { PAYLOAD_KEYS: `k1=${randomBytes(32).toString('base64')}`, LOG_LEVEL: 'debug' };
  coordinator = new Coordinator(await startStack({ env, onLine: (line) => lines.push(line) }));
}, 60_000);
afterAll(() => coordinator.stack.stop());

function anOrder() {
  const order = coordinator.newOrder();
  return { ...order, customer: { ...order.customer, email: EMAIL } };
}

/** All files of Redis, as they lie on the disk. */
function onDisk(): string {
  const dir = coordinator.stack.redis?.dir as string;
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1')).join('\n');
}

/** Runs the command as an operator does. */
async function erase(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = {
    ...{ ...process.env, REDIS_URL: coordinator.stack.urls.redis },
    ...{ COORDINATOR_ADMIN_URL: coordinator.stack.urls.admin, COORDINATOR_ADMIN_TOKEN: 'dev-admin-token' },
  };
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, [ERASE, ...args], { env })) };
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string };
  }
}

test('with keys set, a customer is found neither on the disk nor in the log nor in what the API shows', async () => {
  await coordinator.fail('lms.enrol', '400', { count: 1 });
  const orders = [anOrder(), anOrder()];
  for (const order of orders) expect((await coordinator.placeOrder(order)).status).toBe(202);
  await eventually(async () => {
    const jobs = await Promise.all(orders.map(({ orderNumber }) => coordinator.timeline(orderNumber)));
    const states = jobs.flatMap((timeline) => timeline.map(({ state }) => state));
    expect(states).toContain('dead');
    expect(states.every((state) => state === 'completed' || state === 'dead')).toBe(true);
  });
  const disk = onDisk();
  const shown = await Promise.all(
    orders.map(({ orderNumber }) => coordinator.get(`/v1/subjects/order:${orderNumber}/jobs`)),
  );
  const seen = { disk, log: lines.join('\n'), api: shown.map(({ text }) => text).join('\n') };
  for (const [place, text] of Object.entries(seen)) {
    expect([place, text.includes(orders[0]?.orderNumber ?? ''), text.includes(EMAIL)]).toEqual([place, true, false]);
  }
  expect(disk).toContain('enc1:k1.');
  expect(lines.filter((line) => line.includes('payloads are encrypted at rest'))).toHaveLength(2);
});

test('npm run erase tells what it would do, does it once it is sure, and can be run again', async () => {
  await coordinator.fail('lms.enrol', '400', { count: 1 });
  const order = anOrder();
  await coordinator.placeOrder(order);
  const subject = `order:${order.orderNumber}`;
  await eventually(async () =>
    expect((await coordinator.timeline(order.orderNumber)).some(({ state }) => state === 'dead')).toBe(true),
  );
  const request = ['--subject', subject, '--why', 'request 17'];
  expect(await erase(...request, '--dry-run')).toMatchObject({ code: 0, stdout: expect.stringContaining('would be') });
  const unsure = { code: 2, stderr: expect.stringContaining('Add --yes') };
  expect(await erase(...request)).toMatchObject(unsure);
  expect((await coordinator.timeline(order.orderNumber)).some(({ error }) => isErased(error))).toBe(false);

  const done = await erase(...request, '--yes', '--rewrite');
  expect(done).toMatchObject({ code: 0, stdout: expect.stringMatching(/dead +erased\n[^]*holds only what is left/) });
  const [line = ''] = await eventually(() => {
    const told = lines.filter((text) => text.includes('erased a subject'));
    expect(told).toHaveLength(1);
    return told;
  });
  expect(JSON.parse(line)).toMatchObject({ service: 'coordinator-api', subject, why: 'request 17', by: 'dev' });
  expect((await coordinator.timeline(order.orderNumber)).some(({ error }) => isErased(error))).toBe(true);
  expect(await erase(...request, '--yes')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('nothing was left'),
  });
});

const isErased = (error: unknown) => (error as { message?: string } | null)?.message === 'erased';

test.each([
  ['no subject', ['--why', 'x'], '--subject is missing'],
  ['no reason', ['--subject', 'order:D-1'], '--why is missing'],
  ['an option that there is not', ['--subject', 'order:D-1', '--force'], 'Usage: npm run erase'],
])('npm run erase does nothing for a command with %s, and says what to write', async (_what, args, words) => {
  expect(await erase(...args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(words) });
});
