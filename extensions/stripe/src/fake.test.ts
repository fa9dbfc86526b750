import { describe, expect, test } from '@jest/globals';
import { stripeFake } from './fake.ts';
import { stripeRouteConfig } from './config.ts';
import { stripeEvent } from './stripe-event.ts';
import { stripeSignature } from './webhook-signature.ts';

const check = stripeSignature(
  stripeRouteConfig.parse(stripeFake.environment('http://127.0.0.1')).STRIPE_WEBHOOK_SECRETS,
);

function sent(input: unknown, badSignature = false) {
  const { headers, body } = stripeFake.webhook!(input, { badSignature });
  return { event: JSON.parse(body), verify: () => check(Buffer.from(body), headers) };
}

describe('the fake of Stripe', () => {
  test('signs so that the real check accepts it, and refuses when the signature is to be bad', () => {
    expect(sent({}).verify).not.toThrow();
    expect(sent({}, true).verify).toThrow('No active secret has signed this body');
  });

  test.each(['charge.refunded', 'payment_intent.succeeded', 'charge.dispute.created'])(
    'sends a %s that the route reads, with new ids each time',
    (type) => {
      const [one, other] = [sent({ type }).event, sent({ type }).event];

      expect(stripeEvent.parse(one)).toMatchObject({
        type,
        data: { object: { metadata: { order_number: 'D-1001' } } },
      });
      expect(one.id).not.toBe(other.id);
    },
  );

  test('sends the values it is given, and no order number for null', () => {
    const { event } = sent({ id: 'evt_9', amount: 100, currency: 'JPY', orderNumber: null });

    expect(event).toMatchObject({
      id: 'evt_9',
      data: { object: { amount_refunded: 100, currency: 'jpy', metadata: {} } },
    });
  });

  test('sends a whole event as it is', () => {
    expect(sent({ event: { id: 'evt_7', any: 'thing' } }).event).toEqual({ id: 'evt_7', any: 'thing' });
  });
});
