import { expect, test } from '@jest/globals';
import { paymentRefunded, paymentSucceeded, readConfig, Registry } from '@coordinator/extension';
import { startHarness } from '@coordinator/task-testing';
import { segmentFake } from './fake.ts';
import { processor } from './fixtures/processor.ts';
import { segment } from './index.ts';

const environment = segmentFake.environment('http://127.0.0.1:1');
const payment = {
  processor: 'stripe',
  paymentId: 'pi_1',
  orderNumber: 'D-1001',
  amountMinor: 4_900,
  currency: 'USD',
  occurredAt: '2026-01-03T00:00:00Z',
};

test('its configuration, tasks and handlers fit together', async () => {
  const registry = new Registry([processor, segment]);
  const handlerOf = await registry.loadHandlers(readConfig([segment.config], { ...environment }));

  expect(registry.catalog.readable()).toEqual(['segment.track@1-1']);
  expect(handlerOf('segment.track')).toBeInstanceOf(Function);
});

test('it needs a write key and knows where Segment is', () => {
  expect(() => readConfig([segment.config], {})).toThrow('SEGMENT_WRITE_KEY is not set');
  expect(readConfig([segment.config], { SEGMENT_WRITE_KEY: 'key' })).toMatchObject({
    SEGMENT_URL: 'https://api.segment.io',
  });
});

test('payments and refunds are told to Segment, each once however often they are announced', async () => {
  const harness = await startHarness({ extensions: [processor, segment], environment });
  const announce = async () => [
    ...(await harness.queue.emit(paymentSucceeded, payment, { idempotencyKey: 'evt_1', subject: 'order:D-1001' })),
    ...(await harness.queue.emit(
      paymentRefunded,
      { ...payment, refundId: 're_1' },
      { idempotencyKey: 'evt_2', subject: 'order:D-1001' },
    )),
  ];
  await announce();

  expect(await announce()).toMatchObject([{ duplicate: true }, { duplicate: true }]);
  expect(harness.timeline('order:D-1001')).toMatchObject([
    { task: 'segment.track', payload: { event: 'Order Completed' } },
    { task: 'segment.track', payload: { event: 'Order Refunded' } },
  ]);
});
