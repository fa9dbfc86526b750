import { beforeEach, describe, expect, test } from '@jest/globals';
import { startHarness, type Harness } from '@coordinator/task-testing';
import { paypalFake } from './fake.ts';
import { bookkeeper } from './fixtures/bookkeeper.ts';
import { paypal } from './index.ts';

const environment = paypalFake.environment('http://127.0.0.1:1');
const REFUND = { id: 'WH-1', refundId: 'REF1', captureId: 'CAP1' };

let harness: Harness;
beforeEach(async () => {
  harness = await startHarness({ extensions: [paypal, bookkeeper], environment });
});

/** Has the route take what PayPal would send. */
function receive(input: object, badSignature = false) {
  const { path, ...request } = paypalFake.webhook!(input, { badSignature });
  return harness.accept(path, request);
}

describe('an event of PayPal', () => {
  test('about a refund has PayPal asked about it, and nothing of its body but ids is kept', async () => {
    const receipts = await receive(REFUND);

    expect(receipts).toMatchObject([{ task: 'paypal.confirm-refund', state: 'waiting', duplicate: false }]);
    expect(harness.timeline('paypal-refund:REF1').map(({ payload }) => payload)).toEqual([
      { eventId: 'WH-1', refundId: 'REF1' },
    ]);
  });

  test('about a payment has PayPal asked about it, and nothing of its body but ids is kept', async () => {
    await receive({ ...REFUND, type: 'PAYMENT.CAPTURE.COMPLETED' });

    expect(harness.jobs()).toMatchObject([{ task: 'paypal.confirm-payment', subject: 'paypal-capture:CAP1' }]);
    expect(harness.jobs()[0]?.payload).toEqual({ eventId: 'WH-1', captureId: 'CAP1' });
  });

  test.each(['PAYMENT.CAPTURE.REFUNDED', 'PAYMENT.CAPTURE.COMPLETED', 'CUSTOMER.DISPUTE.CREATED'])(
    'of the type %s that comes a hundred times at once, and again after four days, starts one job',
    async (type) => {
      const { path, ...request } = paypalFake.webhook!({ type }, { badSignature: false });
      const answers = await Promise.all(Array.from({ length: 100 }, () => harness.accept(path, request)));
      harness.clock.advance(95 * 3_600_000);

      const receipts = [...answers.flat(), ...(await harness.accept(path, request))];
      expect(new Set(receipts.map(({ jobId }) => jobId)).size).toBe(1);
      expect(receipts.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
      expect(harness.enqueued).toHaveLength(1);
    },
  );

  test('of a type that nobody knows is recorded', async () => {
    const [receipt] = await receive({ type: 'CUSTOMER.DISPUTE.CREATED', id: 'WH-1' });
    await harness.drain();

    expect(receipt).toMatchObject({ task: 'paypal.record-event', duplicate: false });
    expect(harness.timeline('paypal-event:WH-1')).toMatchObject([
      { state: 'completed', payload: { eventId: 'WH-1', type: 'CUSTOMER.DISPUTE.CREATED' } },
    ]);
    expect(harness.log.lines).toContainEqual(
      expect.objectContaining({ message: 'PayPal event recorded: nothing here acts on it' }),
    );
  });

  test('of a type that nobody knows needs no resource', async () => {
    const event = { id: 'WH-1', event_type: 'MERCHANT.ONBOARDING.COMPLETED', resource_type: 'merchant-onboarding' };

    expect(await receive({ event })).toMatchObject([{ task: 'paypal.record-event' }]);
  });

  test('that was forged under the id of another one does not take its place', async () => {
    await receive({ ...REFUND, forge: { refundId: 'FORGED' } });

    expect(await receive(REFUND)).toMatchObject([{ task: 'paypal.confirm-refund', duplicate: false }]);
    expect(harness.jobs().map(({ subject }) => subject)).toEqual(['paypal-refund:FORGED', 'paypal-refund:REF1']);
  });

  test('with a bad signature is refused before anything of it is read, and nothing is stored or logged', async () => {
    await expect(receive({ event: { email: 'private' } }, true)).rejects.toMatchObject({
      code: 'COORD_SIGNATURE_INVALID',
    });
    await expect(harness.accept('/webhooks/paypal', { body: 'private' })).rejects.toMatchObject({
      code: 'COORD_SIGNATURE_INVALID',
    });
    expect(harness.enqueued).toEqual([]);
    expect(JSON.stringify(harness.log.lines)).not.toContain('private');
  });

  test.each([
    {},
    { id: 'WH-1', event_type: 'PAYMENT.CAPTURE.REFUNDED' },
    { id: 'WH-1', event_type: 'PAYMENT.CAPTURE.REFUNDED', resource: { id: 7 } },
    { id: 'WH-1', event_type: 'PAYMENT.CAPTURE.REFUNDED', resource: { id: '' } },
    { id: 'WH-1', event_type: 'PAYMENT.CAPTURE.REFUNDED', resource: { id: '../../v1/payments/payouts' } },
    { id: 'WH-1', event_type: 'PAYMENT.CAPTURE.COMPLETED', resource: { id: 'CAP1/refund' } },
    { id: 'WH-1', event_type: 'PAYMENT.CAPTURE.COMPLETED', resource: { id: 'C'.repeat(65) } },
    { id: 'WH 1', event_type: 'CUSTOMER.DISPUTE.CREATED' },
    { id: 'WH-1', event_type: 'x'.repeat(101) },
  ])('that is signed but not what we take it for is refused, so that PayPal keeps it: %j', async (event) => {
    await expect(receive({ event })).rejects.toMatchObject({ code: 'COORD_BODY_INVALID' });
    expect(harness.enqueued).toEqual([]);
  });
});
