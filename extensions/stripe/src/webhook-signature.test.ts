import { describe, expect, test } from '@jest/globals';
import { CoordinatorError, Secret } from '@coordinator/extension';
import { createHmac } from 'node:crypto';
import { inspect } from 'node:util';
import { SignatureRefused, stripeSignature } from './webhook-signature.ts';

const NOW_S = 1_700_000_000;
const BODY = '{"id":"evt_1"}';
const SIGNATURE = '248a374f50f943a28b0f6ab50faf9a7e7e29b710fa26df9fb1618b9bf8ea9c9a';

interface Given {
  readonly body?: string;
  readonly secrets?: readonly string[];
  readonly nowS?: number;
}

/** Whether a body with this header is accepted, at a fixed time. */
function accepts(header: string | undefined, given: Given = {}): boolean {
  return verdict(header, given) === 'accepted';
}

/** What becomes of a body with this header, at a fixed time. */
function verdict(header: string | undefined, { body = BODY, secrets = ['whsec_test_secret'], nowS = NOW_S }: Given) {
  const check = stripeSignature(
    secrets.map((secret) => new Secret(secret)),
    () => nowS * 1_000,
  );
  try {
    check(Buffer.from(body), header === undefined ? {} : { 'stripe-signature': header });
    return 'accepted';
  } catch (error) {
    if (error instanceof CoordinatorError) return error.code;
    expect(error).toBeInstanceOf(SignatureRefused);
    return 'refused';
  }
}

function sign(secret: string, timestamp: string | number = NOW_S, body = BODY): string {
  return createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
}

describe('a Stripe signature', () => {
  test('of the known vector is accepted', () => {
    expect(accepts(`t=${NOW_S},v1=${SIGNATURE}`)).toBe(true);
  });

  test('is refused when it is absent, empty, of another secret or of another body', () => {
    expect(accepts(undefined)).toBe(false);
    expect(accepts('')).toBe(false);
    expect(accepts(`t=${NOW_S}`)).toBe(false);
    expect(accepts(`t=${NOW_S},v1=`)).toBe(false);
    expect(accepts(`t=${NOW_S},v1=${sign('whsec_of_paypal')}`)).toBe(false);
    expect(accepts(`t=${NOW_S},v1=${SIGNATURE}`, { body: '{"id":"evt_2"}' })).toBe(false);
  });

  test('is refused when the same JSON is spaced in another way: the bytes are signed', () => {
    expect(accepts(`t=${NOW_S},v1=${SIGNATURE}`, { body: '{"id": "evt_1"}' })).toBe(false);
  });

  test('is of all bytes, a byte order mark at their beginning included', () => {
    const marked = `\ufeff${BODY}`;

    expect(accepts(`t=${NOW_S},v1=${sign('whsec_test_secret', NOW_S, marked)}`, { body: marked })).toBe(true);
    expect(accepts(`t=${NOW_S},v1=${SIGNATURE}`, { body: marked })).toBe(false);
  });

  test('is accepted with either secret while the secret is being rolled', () => {
    const secrets = ['whsec_new', 'whsec_old'];

    expect(accepts(`t=${NOW_S},v1=${sign('whsec_old')}`, { secrets })).toBe(true);
    expect(accepts(`t=${NOW_S},v1=${sign('whsec_new')}`, { secrets })).toBe(true);
    expect(accepts(`t=${NOW_S},v1=${sign('whsec_gone')},v1=${sign('whsec_old')}`, { secrets })).toBe(true);
    expect(accepts(`t=${NOW_S},v1=${sign('whsec_gone')}`, { secrets })).toBe(false);
  });

  test('of another scheme counts for nothing', () => {
    expect(accepts(`t=${NOW_S},v0=${SIGNATURE}`)).toBe(false);
    expect(accepts(`t=${NOW_S},v0=${sign('whsec_gone')},v1=${SIGNATURE}`)).toBe(true);
  });

  test.each([
    ['300 s old', 300, true],
    ['301 s old', 301, false],
    ['300 s ahead', -300, true],
    ['301 s ahead', -301, false],
  ])('that is %s: accepted is %p', (_, ageS, accepted) => {
    expect(accepts(`t=${NOW_S},v1=${SIGNATURE}`, { nowS: NOW_S + Number(ageS) })).toBe(accepted);
  });

  test.each(['1700000000abc', '01700000000', '1.7e9', ' 1700000000', ''])(
    'with the timestamp "%s" is malformed, although it is signed',
    (timestamp) => {
      const header = `t=${timestamp},v1=${sign('whsec_test_secret', timestamp)},v1=${SIGNATURE}`;
      expect(verdict(header, {})).toBe('COORD_SIGNATURE_MALFORMED');
    },
  );

  test('with two timestamps is malformed', () => {
    expect(verdict(`t=${NOW_S},t=${NOW_S},v1=${SIGNATURE}`, {})).toBe('COORD_SIGNATURE_MALFORMED');
  });

  test('may be one of ten and not one of eleven', () => {
    const others = (count: number) => `v1=${sign('whsec_gone')},`.repeat(count);

    expect(accepts(`t=${NOW_S},${others(9)}v1=${SIGNATURE}`)).toBe(true);
    expect(verdict(`t=${NOW_S},${others(10)}v1=${SIGNATURE}`, {})).toBe('COORD_SIGNATURE_MALFORMED');
  });

  test('is malformed among 10,000, wherever it stands', () => {
    const others = `v1=${sign('whsec_gone')},`.repeat(9_999);

    expect(verdict(`t=${NOW_S},${others}v1=${SIGNATURE}`, {})).toBe('COORD_SIGNATURE_MALFORMED');
    expect(verdict(`t=${NOW_S},v1=${SIGNATURE},${others}`, {})).toBe('COORD_SIGNATURE_MALFORMED');
  });

  test('that is refused leaves nothing of the request in the error', () => {
    const check = stripeSignature([new Secret('whsec_test_secret')], () => NOW_S * 1_000);
    const body = Buffer.from('{"email":"ada@example.test"}');
    let refused: unknown;
    try {
      check(body, { 'stripe-signature': `t=${NOW_S},v1=${SIGNATURE}` });
    } catch (error) {
      refused = error;
    }

    expect(inspect(refused, { showHidden: true })).toMatch(/^SignatureRefused: No active secret has signed this body/);
    expect(inspect(refused, { showHidden: true })).not.toMatch(/ada|248a374f/);
  });
});
