import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import {
  fakeDownstream,
  leakChecks,
  recordSpans,
  startHarness,
  type FakeServer,
  type SpanRecording,
} from '@coordinator/task-testing';
import { warehouseFake } from './fake.ts';
import { shop } from './fixtures/shop.ts';
import { extension } from './index.ts';
import { ship } from './tasks.ts';

let warehouse: FakeServer;
beforeAll(async () => {
  warehouse = await fakeDownstream(warehouseFake);
});
afterAll(() => warehouse.close());
leakChecks();

let recording: SpanRecording;
beforeEach(() => {
  recording = recordSpans();
});
afterEach(() => recording.stop());

test('one trace shows every attempt, and the call that it made', async () => {
  const harness = await startHarness({ extensions: [shop, extension], environment: warehouse.environment() });
  warehouse.fail({ route: 'warehouse.ship', mode: '503' });
  await harness.queue.enqueue(ship, { orderNumber: 'D-1001', sku: 'mug-blue', quantity: 2 });
  await harness.drain();

  const { traceId } = recording.spans().find(({ name }) => name === 'send warehouse')!;
  const call = { kind: 'CLIENT', name: 'POST /shipments' };
  expect(recording.trace(traceId)).toMatchObject([
    {
      name: 'send warehouse',
      children: [
        { name: 'process warehouse.ship', status: 'ERROR', children: [{ ...call, status: 'ERROR' }] },
        { name: 'process warehouse.ship', status: 'UNSET', children: [{ ...call, status: 'UNSET' }] },
      ],
    },
  ]);
});
