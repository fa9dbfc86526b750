import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, leakChecks, privateRedis } from '@coordinator/task-testing';
import { ManagedProcess, startStack } from '@coordinator/tools';
import { join } from 'node:path';
import { Coordinator, type ShownJob } from './coordinator.ts';

let coordinator: Coordinator;
afterAll(() => coordinator.stack.stop());
const redis = privateRedis();
leakChecks(redis);
beforeAll(async () => {
  const env = { COORDINATOR_EXTENSIONS: '@coordinator/example-warehouse' };
  coordinator = new Coordinator(await startStack({ redis: redis.server, env }));
}, 60_000);

/** An order of one parcel. */
function newParcel() {
  const order = coordinator.newOrder();
  return { ...order, lines: [{ lineId: 'l1', kind: 'parcel', sku: 'mug-blue', quantity: 2, unitPriceMinor: 1_900 }] };
}

/** Waits until the jobs about the order, of these tasks, are all done. */
function done(orderNumber: string, tasks: readonly string[]): Promise<ShownJob[]> {
  return eventually(async () => {
    const timeline = await coordinator.timeline(orderNumber);
    expect(timeline.map(({ task, state }) => [task, state])).toEqual(tasks.map((task) => [task, 'completed']));
    return timeline;
  });
}

describe('an extension that only COORDINATOR_EXTENSIONS names', () => {
  test('delivers its lines of an order, once', async () => {
    const order = newParcel();
    await coordinator.placeOrder(order);
    const [fulfil, ship] = await done(order.orderNumber, ['orders.fulfil', 'warehouse.ship']);

    expect(ship).toMatchObject({ parentJobId: fulfil?.jobId, traceId: fulfil?.traceId, attempt: 1 });
    expect(await coordinator.ledger(order.orderNumber)).toEqual([
      expect.objectContaining({ effect: 'warehouse.ship', idempotencyKey: `${ship?.jobId}:ship`, repeats: 0 }),
    ]);
  });

  test('delivers once although the answer of its service is lost', async () => {
    const order = newParcel();
    await coordinator.fail('warehouse.ship', 'dropResponseAfterEffect');
    await coordinator.placeOrder(order);
    const [, ship] = await done(order.orderNumber, ['orders.fulfil', 'warehouse.ship']);

    expect(ship?.attempt).toBe(2);
    expect(await coordinator.ledger(order.orderNumber)).toEqual([expect.objectContaining({ repeats: 1 })]);
  });

  test('hears the webhooks of its service, and takes a repeated one for the same', async () => {
    const { orderNumber } = coordinator.newOrder();
    const parcel = { orderNumber, sku: 'mug-blue', quantity: 2 };
    await coordinator.tellSandbox('/__send/warehouse', { id: `lost-${orderNumber}`, parcel, duplicate: 3 });
    await done(orderNumber, ['warehouse.ship']);

    expect(await coordinator.ledger(orderNumber)).toHaveLength(1);
  });
});

test('an API that cannot load its extensions exits with 1 and names all that is wrong with them', async () => {
  const api = new ManagedProcess({
    name: 'api',
    args: [join(__dirname, '../../apps/coordinator-api/dist/main.js')],
    env: { COORDINATOR_EXTENSIONS: '@coordinator/no-such-warehouse,@coordinator/example-warehouse,zod' },
    readyUrl: 'http://127.0.0.1:1/readyz',
  });
  api.start();

  expect(await api.exited).toEqual({ code: 1, signal: null });
  const ofNoSuch = 'the package "@coordinator/no-such-warehouse" of COORDINATOR_EXTENSIONS cannot be loaded';
  expect(api.lines).toEqual([
    'The installed extensions do not fit together:',
    expect.stringContaining(`  - ${ofNoSuch}: Cannot find package`),
    '  - the package "zod" of COORDINATOR_EXTENSIONS does not export "extension"',
  ]);
});
