import { expect, test } from '@jest/globals';
import Stripe from 'stripe';
import { webhooks, type OfficialWebhooks } from './official-webhooks.ts';

const BODY = Buffer.from('{"id":"evt_1"}');
const HEADER = 't=1700000000,v1=248a374f50f943a28b0f6ab50faf9a7e7e29b710fa26df9fb1618b9bf8ea9c9a';

test('what is loaded from inside the package is what its front door offers', () => {
  const frontDoor: OfficialWebhooks = Stripe.webhooks as OfficialWebhooks;

  expect(webhooks.signature.verifyHeader.toString()).toBe(frontDoor.signature.verifyHeader.toString());
});

test('a signature of Stripe passes, with the whole secret as the key', () => {
  const check = (secret: string) =>
    webhooks.signature.verifyHeader(BODY, HEADER, secret, 300, undefined, 1_700_000_000_000);

  expect(check('whsec_test_secret')).toBe(true);
  expect(() => check('test_secret')).toThrow('No signatures found matching the expected signature');
});
