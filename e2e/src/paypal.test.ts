import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '@coordinator/task-testing';
import { startStack } from '@coordinator/tools';
import { Coordinator } from './coordinator.ts';

let coordinator: Coordinator;

beforeAll(async () => {
  coordinator = new Coordinator(await startStack());
}, 60_000);
afterAll(() => coordinator.stack.stop());

let events = 0;

/** Has the sandbox send an event about a refund that no other test has. */
async function sendRefund(more: object = {}) {
  events += 1;
  const orderNumber = coordinator.newOrder().orderNumber;
  const refundId = `REF${events}`;
  const { body } = await coordinator.tellSandbox('/__send/paypal', { orderNumber, refundId, ...more });
  return { orderNumber, refundId, answers: body.answers as readonly { readonly status: number }[] };
}

describe('a PayPal event', () => {
  test('about a refund reaches analytics once PayPal has confirmed it, in one trace from the webhook on', async () => {
    const { orderNumber, refundId, answers } = await sendRefund({ amount: '19.99', duplicate: 3, concurrent: true });
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
    await eventually(async () => {
      expect(await coordinator.ledger(orderNumber)).toEqual([
        expect.objectContaining({
          ...{ effect: 'segment.track', repeats: 0 },
          request: expect.objectContaining({
            messageId: `order-refunded:${refundId}`,
            properties: { order_id: orderNumber, total: '19.99', currency: 'USD' },
          }),
        }),
      ]);
    });

    const [track] = await coordinator.timeline(orderNumber);
    const spans = await eventually(async () => {
      const exported = await coordinator.spans(track!.traceId);
      expect(exported.map(({ name }) => name)).toContain('process segment.track');
      expect(exported.map(({ name }) => name)).toContain('POST /webhooks/paypal');
      return exported;
    });
    const pathTo = (spanId: string | undefined): string[] => {
      const span = spans.find((one) => one.spanId === spanId);
      return span ? [...pathTo(span.parentSpanId), `${span.service} ${span.name}`] : [];
    };
    const ofCalls = spans.filter(({ kind }) => kind === 'CLIENT').map(({ spanId }) => pathTo(spanId));
    const confirmed = [
      'coordinator-api POST /webhooks/paypal',
      'coordinator-api send paypal',
      'coordinator-worker process paypal.confirm-refund',
    ];
    expect(ofCalls).toContainEqual([...confirmed, 'coordinator-worker GET /v2/payments/refunds/{id}']);
    expect(ofCalls).toContainEqual([
      ...confirmed,
      ...['send segment', 'process segment.track', 'POST /v1/track'].map((name) => `coordinator-worker ${name}`),
    ]);
  });

  test('whose body was forged to the same CRC32 is accepted as a hint, and what PayPal says is done', async () => {
    const { orderNumber, answers } = await sendRefund({ forge: { amount: '9999.00', orderNumber: 'D-6666' } });
    expect(answers).toEqual([expect.objectContaining({ status: 202 })]);
    await eventually(async () => {
      expect(await coordinator.ledger(orderNumber)).toEqual([
        expect.objectContaining({
          request: expect.objectContaining({ properties: expect.objectContaining({ total: '49.00' }) }),
        }),
      ]);
    });
  });

  test('that was forged about a refund that PayPal does not know becomes a dead letter, without effect', async () => {
    const { orderNumber, answers } = await sendRefund({ forge: { refundId: 'FORGED' } });
    expect(answers).toEqual([expect.objectContaining({ status: 202 })]);
    await eventually(
      async () => {
        const { body } = await coordinator.get('/v1/subjects/paypal-refund:FORGED/jobs');
        expect(body.items).toEqual([
          expect.objectContaining({ state: 'dead', error: expect.objectContaining({ code: 'COORD_HANDLER_FAILED' }) }),
        ]);
      },
      { deadlineMs: 30_000 },
    );
    expect(await coordinator.ledger(orderNumber)).toEqual([]);
  }, 40_000);

  test('with a bad signature is answered 401, and nothing is enqueued', async () => {
    const before = await coordinator.jobIds();
    const { answers } = await sendRefund({ badSignature: true });
    expect(answers).toEqual([expect.objectContaining({ status: 401 })]);
    expect(await coordinator.jobIds()).toEqual(before);
  });
});
