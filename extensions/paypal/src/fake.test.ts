import { describe, expect, test } from '@jest/globals';
import { crc32 } from 'node:zlib';
import { paypalRouteConfig } from './config.ts';
import { paypalFake } from './fake.ts';
import { paypalEvent } from './paypal-event.ts';
import { paypalSignature } from './webhook-signature.ts';

const config = paypalRouteConfig.parse(paypalFake.environment('http://127.0.0.1'));
const check = paypalSignature({
  webhookIds: config.PAYPAL_WEBHOOK_IDS,
  certificates: config.PAYPAL_WEBHOOK_CERTS,
});

function sent(input: unknown, badSignature = false) {
  const { headers, body } = paypalFake.webhook!(input, { badSignature });
  return { body, event: JSON.parse(body), verify: () => check(Buffer.from(body), headers) };
}

describe('the fake of PayPal', () => {
  test('signs so that the real check accepts it, and refuses when the signature is to be bad', () => {
    expect(sent({}).verify).not.toThrow();
    expect(sent({}, true).verify).toThrow('No certificate has signed this body');
  });

  test.each(['PAYMENT.CAPTURE.REFUNDED', 'PAYMENT.CAPTURE.COMPLETED', 'CUSTOMER.DISPUTE.CREATED'])(
    'sends a %s that the route reads, with new ids each time',
    (type) => {
      const [one, other] = [sent({ type }).event, sent({ type }).event];

      expect(paypalEvent.parse(one)).toMatchObject({ event_type: type, resource: { id: expect.any(String) } });
      expect(one.id).not.toBe(other.id);
      expect(one.resource.id).not.toBe(other.resource.id);
    },
  );

  test('sends the values it is given', () => {
    const { event } = sent({ id: 'WH-9', refundId: 'REF9', amount: '100', currency: 'JPY' });

    expect(event).toMatchObject({
      id: 'WH-9',
      resource: { id: 'REF9', amount: { value: '100', currency_code: 'JPY' } },
    });
  });

  test('sends a whole event as it is', () => {
    expect(sent({ event: { id: 'WH-7', any: 'thing' } }).event).toEqual({ id: 'WH-7', any: 'thing' });
  });

  test('forges a body that the signature of another one fits, as a stranger could', () => {
    const values = { id: 'WH-1', refundId: 'REF1', captureId: 'CAP1', createdAt: '2027-01-02T03:04:05Z' };
    const forged = sent({ ...values, forge: { refundId: 'REF2' } });

    expect(forged.event).toMatchObject({ id: 'WH-1', resource: { id: 'REF2' } });
    expect(crc32(forged.body)).toBe(crc32(sent(values).body));
    expect(forged.verify).not.toThrow();
  });
});
