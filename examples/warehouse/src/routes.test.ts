import { beforeEach, expect, test } from '@jest/globals';
import { expectEnqueued, startHarness, type Harness } from '@coordinator/task-testing';
import { warehouseFake } from './fake.ts';
import { shop } from './fixtures/shop.ts';
import { extension } from './index.ts';
import { ship } from './tasks.ts';

const report = { id: 'lost-1', parcel: { orderNumber: 'D-1001', sku: 'mug-blue', quantity: 2 } };

let harness: Harness;
beforeEach(async () => {
  const environment = warehouseFake.environment('http://127.0.0.1:1');
  harness = await startHarness({ extensions: [shop, extension], environment });
});

/** Has the route take what the warehouse would send. */
function receive(input: unknown, { badSignature = false } = {}) {
  const { path, ...request } = warehouseFake.webhook!(input, { badSignature });
  return harness.accept(path, request);
}

test('a lost parcel is shipped again, once, however often it is reported', async () => {
  const [first] = await receive(report);
  const [second] = await receive(report);

  expect(second).toMatchObject({ jobId: first?.jobId, duplicate: true });
  expect(expectEnqueued(harness, ship, report.parcel)).toMatchObject({ subject: 'order:D-1001' });
});

test('a report that the warehouse has not signed starts nothing', async () => {
  await expect(receive(report, { badSignature: true })).rejects.toMatchObject({ code: 'COORD_SIGNATURE_INVALID' });
  await expect(harness.accept('/webhooks/warehouse', { body: report })).rejects.toMatchObject({
    code: 'COORD_SIGNATURE_INVALID',
  });
  expect(harness.enqueued).toEqual([]);
});

test('a report of nothing that could be shipped is refused, so that the warehouse hears of it', async () => {
  await expect(receive({ ...report, parcel: { sku: 'mug-blue' } })).rejects.toMatchObject({
    code: 'COORD_BODY_INVALID',
  });
});
