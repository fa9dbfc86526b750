import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually, leakChecks, privateRedis } from '@coordinator/task-testing';
import { startStack } from '@coordinator/tools';
import { request } from 'undici';
import { Coordinator } from './coordinator.ts';

let coordinator: Coordinator;
afterAll(() => coordinator.stack.stop());
const redis = privateRedis();
leakChecks(redis);
beforeAll(async () => {
  coordinator = new Coordinator(await startStack({ redis: redis.server, workers: 2 }));
}, 60_000);

/** What the workers logged about breakers. */
const breakerLines = () =>
  coordinator.stack.worker.flatMap(({ lines }) => lines.filter((line) => line.includes('"msg":"circuit breaker ')));

/** The state of the breaker of the course platform, as each worker tells it. */
async function breakerStates(): Promise<(string | undefined)[]> {
  const pages = coordinator.stack.urls.workers.map(async (url) => (await request(`${url}/metrics`)).body.text());
  return (await Promise.all(pages)).map((page) => /^coordinator_breaker_state\{.*lms.*\} (\d)$/m.exec(page)?.[1]);
}

test('workers find out together that a downstream is down, leave it alone, and find out when it is back', async () => {
  await coordinator.fail('lms.enrol', '503', { count: 1_000 });
  const orders = Array.from({ length: 40 }, () => coordinator.newOrder());
  for (const answer of await Promise.all(orders.map((order) => coordinator.placeOrder(order)))) {
    expect(answer.status).toBe(202);
  }

  await eventually(async () =>
    expect(await breakerStates()).toEqual([expect.stringMatching(/1|2/), expect.stringMatching(/1|2/)]),
  );
  const waiting = await eventually(async () => {
    const jobs = (await Promise.all(orders.map(({ orderNumber }) => coordinator.timeline(orderNumber)))).flat();
    const held = jobs.filter(({ error }) => error?.code === 'COORD_DOWNSTREAM_OPEN');
    expect(held.length).toBeGreaterThan(10);
    return held;
  });
  expect(Math.max(...waiting.map(({ attempt }) => attempt))).toBeLessThanOrEqual(1);
  expect(breakerLines()).toEqual([expect.stringContaining('circuit breaker opened')]);

  await coordinator.heal();
  await eventually(
    async () => {
      for (const { orderNumber } of orders) {
        expect(await coordinator.ledger(orderNumber)).toEqual([expect.objectContaining({ effect: 'lms.enrol' })]);
      }
    },
    { deadlineMs: 40_000, everyMs: 200 },
  );
  expect(breakerLines()).toHaveLength(2);
  expect(await breakerStates()).toEqual(['0', '0']);
}, 90_000);
