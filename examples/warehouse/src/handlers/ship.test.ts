import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { readConfig } from '@coordinator/extension';
import { fakeDownstream, leakChecks, runTask, startHarness, type FakeServer } from '@coordinator/task-testing';
import { warehouseConfig } from '../config.ts';
import { warehouseFake } from '../fake.ts';
import { shop } from '../fixtures/shop.ts';
import { extension } from '../index.ts';
import * as tasks from '../tasks.ts';
import { createHandlers } from './index.ts';

const HOUR_MS = 3_600_000;
const parcel = { orderNumber: 'D-1001', sku: 'mug-blue', quantity: 2 };

let warehouse: FakeServer;
beforeAll(async () => {
  warehouse = await fakeDownstream(warehouseFake);
});
beforeEach(() => warehouse.reset());
afterAll(() => warehouse.close());
leakChecks();

/** The handler, with a client of the fake. */
const ship = () => createHandlers(readConfig([warehouseConfig], { ...warehouse.environment() })).ship;

/** A parcel that waits to be shipped. */
async function accepted() {
  const harness = await startHarness({ extensions: [shop, extension], environment: warehouse.environment() });
  const { jobId } = await harness.queue.enqueue(tasks.ship, parcel, { subject: 'order:D-1001' });
  return { harness, jobId };
}

test('a parcel is shipped as it was ordered', async () => {
  const { outcome } = await runTask(tasks.ship, ship(), parcel);

  expect(outcome).toEqual({ kind: 'completed' });
  expect(warehouse.ledger()).toMatchObject([{ effect: 'warehouse.ship', subject: 'order:D-1001', request: parcel }]);
});

test('a parcel that an earlier attempt has shipped is left alone', async () => {
  const { outcome } = await runTask(tasks.ship, ship(), parcel, { attempt: 2, steps: { ship: undefined } });

  expect(outcome).toEqual({ kind: 'completed' });
  expect(warehouse.requests()).toEqual([]);
});

test('a parcel that the warehouse refuses is dead at once', async () => {
  warehouse.fail({ route: 'warehouse.ship', mode: '422' });
  const { outcome } = await runTask(tasks.ship, ship(), parcel);

  expect(outcome).toMatchObject({ kind: 'dead', reason: 'permanent', error: { code: 'COORD_DOWNSTREAM_REFUSED' } });
  expect(warehouse.ledger()).toEqual([]);
});

test('a parcel whose answer was lost is asked for again under the same key, and shipped once', async () => {
  const { harness, jobId } = await accepted();
  warehouse.fail({ route: 'warehouse.ship', mode: 'dropResponseAfterEffect' });
  const attempts = await harness.drain();

  expect(attempts.map(({ outcome }) => outcome.kind)).toEqual(['retried', 'completed']);
  expect(warehouse.ledger()).toMatchObject([{ idempotencyKey: `${jobId}:ship`, repeats: 1 }]);
});

test('a warehouse that is stock-taking is asked again when it said, and no attempt is spent', async () => {
  const { harness } = await accepted();
  warehouse.fail({ route: 'warehouse.ship', mode: '503', retryAfter: 1_800 });

  expect(await harness.drain({ untilMs: HOUR_MS / 2 })).toMatchObject([{ outcome: { kind: 'snoozed' } }]);
  expect(await harness.drain()).toMatchObject([{ attempt: 1, outcome: { kind: 'completed' } }]);
});

test('a warehouse that is away for two days loses no parcel', async () => {
  const { harness } = await accepted();
  const startMs = harness.clock.nowMs();
  warehouse.fail({ route: 'warehouse.ship', mode: '503', count: 60 });
  await harness.drain();

  expect(harness.clock.nowMs() - startMs).toBeGreaterThan(48 * HOUR_MS);
  expect(harness.jobs()).toMatchObject([{ state: 'completed', attempt: 61 }]);
});

test('a warehouse that is away for longer leaves a dead letter', async () => {
  const { harness } = await accepted();
  warehouse.fail({ route: 'warehouse.ship', mode: '503', count: 1_000 });
  await harness.drain();

  expect(harness.jobs({ state: 'dead' })).toMatchObject([{ outcome: 'gave-up', payload: parcel }]);
});
