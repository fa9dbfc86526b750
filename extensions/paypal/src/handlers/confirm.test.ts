import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { fakeDownstream, leakChecks, startHarness, type FakeServer } from '@coordinator/task-testing';
import { paypalFake } from '../fake.ts';
import { bookkeeper, bookPayment } from '../fixtures/bookkeeper.ts';
import { paypal } from '../index.ts';

const HOUR_MS = 3_600_000;
const CREATED = '2027-01-02T03:04:05.000Z';
const PAYMENT = 'PAYMENT.CAPTURE.COMPLETED';

let service: FakeServer;
let next = 0;
beforeAll(async () => {
  service = await fakeDownstream(paypalFake);
});
beforeEach(() => {
  service.reset();
  next += 1;
});
afterAll(() => service.close());
leakChecks();

/** A payment and its refund that no other test has. */
const values = (more: object = {}) => ({
  ...{ id: `WH-${next}`, captureId: `CAP${next}`, refundId: `REF${next}`, createdAt: CREATED },
  ...more,
});

/** Has the extension take webhooks, and runs what they start to its end. */
async function receive(inputs: readonly object[], environment = service.environment()) {
  const harness = await startHarness({ extensions: [paypal, bookkeeper], environment });
  for (const input of inputs) {
    const { path, ...request } = paypalFake.webhook!(input, { badSignature: false });
    await harness.accept(path, request);
  }
  const attempts = await harness.drain();
  return {
    harness,
    outcomes: attempts.filter(({ task }) => task.startsWith('paypal.')).map(({ outcome }) => outcome),
    booked: harness.jobs({ task: bookPayment }).map(({ payload }) => payload),
  };
}

describe('a refund', () => {
  test('is announced as PayPal has it in its books, on the timeline of the order of its payment', async () => {
    const { outcomes, booked, harness } = await receive([values({ amount: '19.99' })]);

    expect(outcomes).toEqual([{ kind: 'completed' }]);
    expect(booked).toEqual([
      {
        ...{ processor: 'paypal', paymentId: `CAP${next}`, refundId: `REF${next}`, orderNumber: 'D-1001' },
        ...{ amountMinor: 1_999, currency: 'USD', occurredAt: CREATED },
      },
    ]);
    expect(harness.timeline('order:D-1001')).toMatchObject([{ task: 'bookkeeper.book-payment' }]);
    expect(service.requests().map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /v1/oauth2/token',
      `GET /v2/payments/refunds/REF${next}`,
      `GET /v2/payments/captures/CAP${next}`,
    ]);
  });

  test('of a payment that names no order is announced without one', async () => {
    const { booked, harness } = await receive([values({ orderNumber: null })]);

    expect(booked).toEqual([expect.not.objectContaining({ orderNumber: expect.anything() })]);
    expect(harness.timeline(`paypal-refund:REF${next}`)).toMatchObject([{}, { task: 'bookkeeper.book-payment' }]);
  });

  test('that names an order itself is announced with that one', async () => {
    const { booked } = await receive([values({ refundOrderNumber: 'D-1002' })]);

    expect(booked).toMatchObject([{ orderNumber: 'D-1002' }]);
    expect(service.requests('paypal.capture')).toEqual([]);
  });

  test('is announced once, under however many events it comes', async () => {
    const refund = values();
    const { outcomes, booked } = await receive([refund, { ...refund, id: 'WH-other' }, refund]);

    expect(outcomes).toEqual([{ kind: 'completed' }, { kind: 'completed' }]);
    expect(booked).toHaveLength(1);
  });

  test('that comes before its payment is announced all the same', async () => {
    const both = values();
    const { booked } = await receive([both, { ...both, id: 'WH-before', type: PAYMENT }]);

    expect(booked).toHaveLength(2);
  });

  test('that is not paid back yet is a dead letter, because PayPal does not say what its webhook says', async () => {
    const { outcomes, booked } = await receive([values({ status: 'PENDING' })]);

    expect(outcomes).toHaveLength(5);
    expect(outcomes.at(-1)).toMatchObject({
      kind: 'dead',
      reason: 'permanent',
      error: { message: expect.stringContaining('has another state there') },
    });
    expect(booked).toEqual([]);
  });
});

describe('a payment', () => {
  test.each(['COMPLETED', 'PARTIALLY_REFUNDED', 'REFUNDED'])('that is %s by now is announced', async (status) => {
    const { booked } = await receive([values({ type: PAYMENT, amount: '4900', currency: 'JPY', status })]);

    expect(booked).toEqual([
      {
        ...{ processor: 'paypal', paymentId: `CAP${next}`, orderNumber: 'D-1001' },
        ...{ amountMinor: 4_900, currency: 'JPY', occurredAt: CREATED },
      },
    ]);
  });

  test('is announced once, under however many events it comes', async () => {
    const payment = values({ type: PAYMENT });
    const { outcomes, booked } = await receive([payment, { ...payment, id: 'WH-other' }, payment]);

    expect(outcomes).toEqual([{ kind: 'completed' }, { kind: 'completed' }]);
    expect(booked).toHaveLength(1);
  });

  test('whose time PayPal writes with an offset is announced with the time in UTC', async () => {
    const { booked } = await receive([values({ type: PAYMENT, createdAt: '2027-01-01T20:04:05-07:00' })]);

    expect(booked).toMatchObject([{ occurredAt: CREATED }]);
  });

  test.each(['PENDING', 'DECLINED', 'FAILED'])('that is %s is not', async (status) => {
    const { outcomes, booked } = await receive([values({ type: PAYMENT, status })]);

    expect(outcomes.at(-1)).toMatchObject({ kind: 'dead', reason: 'permanent' });
    expect(booked).toEqual([]);
  });

  test('whose invoice is of another system is announced without an order', async () => {
    const { booked } = await receive([values({ type: PAYMENT, orderNumber: 'x'.repeat(65) })]);

    expect(booked).toEqual([expect.not.objectContaining({ orderNumber: expect.anything() })]);
  });
});

describe('a body that was forged to the same CRC32', () => {
  test('about a refund that PayPal does not know has no effect, and is left for people to see', async () => {
    const forge = { refundId: 'FORGED', amount: '9999.00', orderNumber: 'D-6666' };
    const { outcomes, booked, harness } = await receive([values({ forge })]);

    expect(outcomes.map(({ kind }) => kind)).toEqual(['retried', 'retried', 'retried', 'retried', 'dead']);
    expect(outcomes.at(-1)).toMatchObject({
      error: { code: 'COORD_HANDLER_FAILED', message: expect.stringContaining('may be forged') },
    });
    expect(booked).toEqual([]);
    expect(harness.timeline('paypal-refund:FORGED')).toMatchObject([{ state: 'dead' }]);
  });

  test('with another amount and another order changes nothing of what is announced', async () => {
    const { booked } = await receive([values({ forge: { amount: '9999.00', orderNumber: 'D-6666' } })]);

    expect(booked).toMatchObject([{ amountMinor: 4_900, orderNumber: 'D-1001' }]);
  });

  test('that makes a refund of a payment has no effect', async () => {
    const forge = { type: 'PAYMENT.CAPTURE.REFUNDED', refundId: `CAP${next}` };
    const { outcomes, booked } = await receive([values({ type: PAYMENT, forge })]);

    expect(outcomes.at(-1)).toMatchObject({ kind: 'dead' });
    expect(booked).toEqual([]);
  });
});

describe('PayPal', () => {
  test('that does not know a payment at first is asked again', async () => {
    service.fail({ route: 'paypal.refund', mode: '404', count: 2 });
    const { outcomes, booked } = await receive([values()]);

    expect(outcomes.map(({ kind }) => kind)).toEqual(['retried', 'retried', 'completed']);
    expect(booked).toHaveLength(1);
  });

  test('that does not let us read a refund makes a dead letter that says so', async () => {
    const { outcomes } = await receive([values({ refundId: `FOREIGN${next}` })]);

    expect(outcomes).toMatchObject([
      { kind: 'dead', error: { message: 'paypal: GET /v2/payments/refunds/{id} answered 403 (NOT_AUTHORIZED)' } },
    ]);
  });

  test('that is away for three days costs no payment', async () => {
    service.fail({ route: 'paypal.refund', mode: '503', count: 84 });
    const { outcomes, booked, harness } = await receive([values()]);

    expect(outcomes).toHaveLength(85);
    expect(booked).toHaveLength(1);
    const [job] = harness.jobs();
    expect(job!.finishedAtMs! - job!.createdAtMs).toBeGreaterThan(72 * HOUR_MS);
  });

  test('that refuses our credentials is asked again, until somebody has mended them', async () => {
    const environment = { ...service.environment(), PAYPAL_CLIENT_SECRET: 'of-somebody-else' };
    const { outcomes } = await receive([values()], environment);

    expect(outcomes[0]).toMatchObject({ kind: 'retried', error: { code: 'COORD_DOWNSTREAM_UNAVAILABLE' } });
  });

  test.each([
    { currency: 'JPY', amount: '10.50' },
    { amount: '1e3' },
    { currency: 'usd' },
    { createdAt: 'yesterday' },
    { captureId: 'CAP 1' },
  ])('that answers what we cannot read, %j, is asked again', async (more) => {
    const { outcomes, booked } = await receive([values({ ...more })]);

    expect(outcomes[0]).toMatchObject({ kind: 'retried', error: { code: 'COORD_DOWNSTREAM_ANSWER' } });
    expect(booked).toEqual([]);
  });

  test('is asked when it answers too late, and once more', async () => {
    service.fail({ route: 'paypal.refund', mode: 'reset' });
    const { outcomes } = await receive([values()]);

    expect(outcomes.map(({ kind }) => kind)).toEqual(['retried', 'completed']);
  });
});
