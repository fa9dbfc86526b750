import { afterEach, describe, expect, test } from '@jest/globals';
import { eventually } from '@coordinator/task-testing';
import { startStack, type StackOptions } from '@coordinator/tools';
import { Coordinator } from './coordinator.ts';

const started: Coordinator[] = [];

async function start(options: StackOptions = {}): Promise<Coordinator> {
  const coordinator = new Coordinator(await startStack(options));
  started.push(coordinator);
  return coordinator;
}

afterEach(async () => {
  await Promise.all(started.splice(0).map(({ stack }) => stack.stop()));
}, 60_000);

/** Waits until the one effect of every order has happened, and none twice. */
async function deliveredOnce(coordinator: Coordinator, orderNumbers: readonly string[], deadlineMs = 30_000) {
  await eventually(
    async () => {
      for (const orderNumber of orderNumbers) {
        const effects = await coordinator.ledger(orderNumber);
        expect(effects.map(({ effect }) => effect)).toEqual(['lms.enrol']);
        const timeline = await coordinator.timeline(orderNumber);
        expect(timeline.map(({ state }) => state)).toEqual(['completed', 'completed']);
      }
    },
    { deadlineMs },
  );
}

describe('when a process dies', () => {
  test('a worker killed in the middle of a call: another attempt, one effect', async () => {
    const coordinator = await start({ env: { WORKER_LEASE_MS: '1500' } });
    const order = coordinator.newOrder();
    await coordinator.fail('lms.enrol', 'slow', { count: 1, delayMs: 20_000 });
    await coordinator.placeOrder(order);
    await eventually(async () => expect(await coordinator.faultsLeft()).toBe(0));
    const [worker] = coordinator.stack.worker;
    worker?.kill('SIGKILL');
    await worker?.exited;
    await worker?.restart();

    await deliveredOnce(coordinator, [order.orderNumber]);
    const [, enrol] = await coordinator.timeline(order.orderNumber);
    expect(enrol?.attempt).toBe(2);
  }, 60_000);

  test('SIGTERM under load: nothing is lost, exit code 0', async () => {
    const coordinator = await start({ workers: 2, env: { WORKER_LEASE_MS: '5000' } });
    const orders = Array.from({ length: 60 }, () => coordinator.newOrder());
    const answers = orders.map((order) => coordinator.placeOrder(order));
    await Promise.all(answers.slice(0, 10));
    const [first] = coordinator.stack.worker;
    first?.kill('SIGTERM');
    expect(await first?.exited).toEqual({ code: 0, signal: null });
    for (const answer of answers) expect((await answer).status).toBe(202);
    await deliveredOnce(
      coordinator,
      orders.map((order) => order.orderNumber),
    );
    const [api] = coordinator.stack.api;
    api?.kill('SIGTERM');
    expect(await api?.exited).toEqual({ code: 0, signal: null });
  }, 90_000);
});

describe('when Redis is away', () => {
  test('killed: 503 with Retry-After within 1.2 s, and all goes on when it is back, without restarting anything', async () => {
    const coordinator = await start();
    const before = coordinator.newOrder();
    await coordinator.placeOrder(before);
    await coordinator.stack.redis?.kill();

    const refusedAt = performance.now();
    const refused = await coordinator.placeOrder(coordinator.newOrder());
    expect(performance.now() - refusedAt).toBeLessThan(1_200);
    expect(refused).toMatchObject({ status: 503, body: { code: 'COORD_QUEUE_UNAVAILABLE' } });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect((await coordinator.get('/livez')).status).toBe(200);
    expect((await coordinator.get('/readyz')).status).toBe(503);

    await coordinator.stack.redis?.restart();
    const after = coordinator.newOrder();
    await eventually(async () => expect((await coordinator.placeOrder(after)).status).toBe(202));
    await deliveredOnce(coordinator, [before.orderNumber, after.orderNumber]);
  }, 60_000);

  test('frozen: 503 within 1.2 s that says the outcome is unknown, and repeating the order makes one of it', async () => {
    const coordinator = await start();
    const order = coordinator.newOrder();
    coordinator.stack.redis?.pause();
    const refusedAt = performance.now();
    const refused = await coordinator.placeOrder(order);
    expect(performance.now() - refusedAt).toBeLessThan(1_200);
    expect(refused).toMatchObject({ status: 503, body: { detail: expect.stringContaining('same idempotency key') } });

    coordinator.stack.redis?.resume();
    await eventually(async () => expect((await coordinator.placeOrder(order)).status).toBe(202));
    await deliveredOnce(coordinator, [order.orderNumber]);
  }, 60_000);

  test('at the start: the processes wait for it and are ready when it comes', async () => {
    const coordinator = await start();
    const [worker] = coordinator.stack.worker;
    await coordinator.stack.redis?.kill();
    await worker?.stop();
    worker?.start();
    await eventually(async () => expect(worker?.lines.join('\n')).toContain('listening'));
    await coordinator.stack.redis?.restart();
    await worker?.ready();
    const order = coordinator.newOrder();
    await eventually(async () => expect((await coordinator.placeOrder(order)).status).toBe(202));
    await deliveredOnce(coordinator, [order.orderNumber]);
  }, 60_000);
});
