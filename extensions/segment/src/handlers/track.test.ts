import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { fakeDownstream, leakChecks, startHarness, type FakeServer } from '@coordinator/task-testing';
import { segmentFake } from '../fake.ts';
import { processor } from '../fixtures/processor.ts';
import { segment } from '../index.ts';
import { orderRefunded } from '../order-events.ts';
import { track } from '../tasks.ts';

const event = orderRefunded({
  processor: 'stripe',
  paymentId: 'pi_1',
  refundId: 're_1',
  orderNumber: 'D-1001',
  customerId: '42',
  amountMinor: 4_900,
  currency: 'USD',
  occurredAt: '2026-01-03T00:00:00Z',
});

let service: FakeServer;
beforeAll(async () => {
  service = await fakeDownstream(segmentFake);
});
beforeEach(() => service.reset());
afterAll(() => service.close());
leakChecks();

/** Sends one event, to the end of its job. */
async function run(environment = service.environment()) {
  const harness = await startHarness({ extensions: [processor, segment], environment });
  await harness.queue.enqueue(track, event, { subject: 'order:D-1001' });
  const attempts = await harness.drain();
  const [job] = harness.jobs();
  return { outcomes: attempts.map(({ outcome }) => outcome), job: job! };
}

describe('an event', () => {
  test('is sent in the form that Segment knows, with the write key as the user', async () => {
    const { outcomes, job } = await run();

    expect(outcomes).toEqual([{ kind: 'completed' }]);
    expect(service.ledger()).toMatchObject([
      { effect: 'segment.track', subject: 'order:D-1001', idempotencyKey: `${job.jobId}:track`, repeats: 0 },
    ]);
    expect(service.requests()).toMatchObject([
      {
        path: '/v1/track',
        headers: { authorization: `Basic ${Buffer.from('sandbox-write-key:').toString('base64')}` },
      },
    ]);
    expect(service.requests()[0]?.body).toEqual({
      userId: '42',
      event: 'Order Refunded',
      messageId: 'order-refunded:re_1',
      timestamp: '2026-01-03T00:00:00Z',
      properties: { order_id: 'D-1001', total: '49.00', currency: 'USD' },
    });
  });

  test('that Segment refuses is dead at once', async () => {
    service.fail({ route: 'segment.track', mode: '400' });
    const { outcomes } = await run();

    expect(outcomes).toMatchObject([
      { kind: 'dead', reason: 'permanent', error: { code: 'COORD_DOWNSTREAM_REFUSED' } },
    ]);
    expect(service.ledger()).toEqual([]);
  });

  test('whose write key is wrong waits until somebody has mended it', async () => {
    const { outcomes } = await run({ ...service.environment(), SEGMENT_WRITE_KEY: 'of-somebody-else' });

    expect(outcomes[0]).toMatchObject({ kind: 'retried', error: { message: 'segment: POST /v1/track answered 401' } });
    expect(service.ledger()).toEqual([]);
  });

  test('that Segment cannot take now is tried again', async () => {
    service.fail({ route: 'segment.track', mode: '500' });

    expect((await run()).outcomes).toMatchObject([{ kind: 'retried', delayMs: 1_000 }, { kind: 'completed' }]);
    expect(service.ledger()).toMatchObject([{ repeats: 0 }]);
  });

  test('that Segment answers with anything but success is tried again', async () => {
    service.fail({ route: 'segment.track', mode: '200' });

    expect((await run()).outcomes).toMatchObject([
      { kind: 'retried', error: { code: 'COORD_DOWNSTREAM_ANSWER' } },
      { kind: 'completed' },
    ]);
  });

  test('waits as long as Segment asks when it is called too often, and spends no attempt on it', async () => {
    service.fail({ route: 'segment.track', mode: '429', retryAfter: 60 });
    const { outcomes, job } = await run();

    expect(outcomes).toMatchObject([{ kind: 'snoozed', delayMs: 61_000 }, { kind: 'completed' }]);
    expect(job.attempt).toBe(1);
  });

  test('whose answer was lost is sent again under the same id, and counts once', async () => {
    service.fail({ route: 'segment.track', mode: 'dropResponseAfterEffect' });
    const { outcomes } = await run();

    expect(outcomes).toMatchObject([
      { kind: 'retried', error: { code: 'COORD_DOWNSTREAM_UNKNOWN_OUTCOME' } },
      { kind: 'completed' },
    ]);
    expect(service.ledger()).toMatchObject([{ repeats: 1, request: { messageId: 'order-refunded:re_1' } }]);
  });
});
