import { beforeEach, expect, test } from '@jest/globals';
import { orderLinePlaced, readConfig } from '@coordinator/extension';
import { expectEnqueued, startHarness, type Harness } from '@coordinator/task-testing';
import { warehouseConfig, warehouseRouteConfig } from './config.ts';
import { warehouseFake } from './fake.ts';
import { shop } from './fixtures/shop.ts';
import { extension } from './index.ts';
import { ship } from './tasks.ts';

const line = {
  orderNumber: 'D-1001',
  lineId: 'l1',
  kind: 'parcel',
  sku: 'mug-blue',
  quantity: 2,
  username: 'ada',
  placedAt: '2026-01-02T03:04:05Z',
};

let harness: Harness;
beforeEach(async () => {
  const environment = warehouseFake.environment('http://127.0.0.1:1');
  harness = await startHarness({ extensions: [shop, extension], environment });
});

test('a placed parcel is to be shipped, and shows on the timeline of its order', async () => {
  await harness.queue.emit(orderLinePlaced, line, { subject: 'order:D-1001' });

  expectEnqueued(harness, ship, { orderNumber: 'D-1001', sku: 'mug-blue', quantity: 2 });
  expect(harness.timeline('order:D-1001')).toMatchObject([{ task: 'warehouse.ship', state: 'waiting' }]);
});

test('a line of another kind is left to others', async () => {
  await harness.queue.emit(orderLinePlaced, { ...line, kind: 'course' });

  expect(harness.enqueued).toEqual([]);
});

test('the variables that are missing are named all at once', () => {
  expect(() => readConfig([warehouseConfig, warehouseRouteConfig], {})).toThrow(
    /WAREHOUSE_URL is not set.*WAREHOUSE_TOKEN is not set.*WAREHOUSE_WEBHOOK_SECRET is not set/s,
  );
});
