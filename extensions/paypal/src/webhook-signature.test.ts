import { describe, expect, test } from '@jest/globals';
import { CoordinatorError } from '@coordinator/extension';
import { CertificateAuthority } from '@coordinator/task-testing';
import { generateKeyPairSync, sign, X509Certificate } from 'node:crypto';
import { inspect } from 'node:util';
import { crc32 } from 'node:zlib';
import { FAKE_CERTIFICATE, FAKE_KEY } from './fixtures/fake-certificate.ts';
import { withCrc32 } from './fixtures/same-crc32.ts';
import { CertificateExpired, paypalSignature, SignatureRefused } from './webhook-signature.ts';

const HOUR_S = 3_600;
const TIME = '2027-01-02T03:04:05Z';
const BODY = '{"id":"WH-1"}';
const certificate = new X509Certificate(Buffer.from(FAKE_CERTIFICATE, 'base64'));
const another = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;

interface Given {
  readonly body?: string;
  readonly webhookIds?: readonly string[];
  /** How long after TIME it is received. */
  readonly ageS?: number;
  readonly checkedAt?: string;
}

/** The headers of a webhook, signed unless changed; undefined leaves one out. */
function headersOf({
  body = BODY,
  time = TIME,
  id = 'e1b7-1',
  webhookId = 'WEBHOOK1',
  key = FAKE_KEY as object | string,
} = {}) {
  const text = Buffer.from(`${id}|${time}|${webhookId}|${crc32(body)}`);
  return {
    'paypal-transmission-id': id,
    'paypal-transmission-time': time,
    'paypal-transmission-sig': sign('sha256', text, key as string).toString('base64'),
    'paypal-auth-algo': 'SHA256withRSA',
  };
}

/** What becomes of a body with these headers. */
function verdict(
  headers: Readonly<Record<string, string | undefined>>,
  { body = BODY, webhookIds = ['WEBHOOK1'], ageS = 0, checkedAt = TIME }: Given = {},
) {
  const nowMs = () => Date.parse(checkedAt) + ageS * 1_000;
  const check = paypalSignature({ webhookIds, certificates: [certificate] }, nowMs);
  try {
    check(Buffer.from(body), headers);
    return 'accepted';
  } catch (error) {
    if (error instanceof CoordinatorError) return error.code;
    expect([SignatureRefused, CertificateExpired]).toContain((error as Error).constructor);
    return (error as Error).name;
  }
}

describe('a signature of PayPal', () => {
  test('is accepted with the certificate and the id of the webhook', () => {
    expect(verdict(headersOf())).toBe('accepted');
  });

  test('is refused when it is of another body, key or webhook', () => {
    expect(verdict(headersOf(), { body: '{"id":"WH-2"}' })).toBe('SignatureRefused');
    expect(verdict(headersOf({ key: another }))).toBe('SignatureRefused');
    expect(verdict(headersOf({ webhookId: 'WEBHOOK2' }))).toBe('SignatureRefused');
  });

  test('is refused when the same JSON is spaced in another way: the checksum is of the bytes', () => {
    expect(verdict(headersOf(), { body: '{"id": "WH-1"}' })).toBe('SignatureRefused');
    expect(verdict(headersOf(), { body: `\ufeff${BODY}` })).toBe('SignatureRefused');
  });

  test('fits each body with the same CRC32, which is why nothing in the body is believed', () => {
    const body = withCrc32(crc32(BODY), (digits) => JSON.stringify({ id: 'WH-2', digits }));

    expect(verdict(headersOf(), { body })).toBe('accepted');
  });

  test('is accepted for either id while the webhook is being replaced', () => {
    const webhookIds = ['WEBHOOK2', 'WEBHOOK1'];

    expect(verdict(headersOf({ webhookId: 'WEBHOOK1' }), { webhookIds })).toBe('accepted');
    expect(verdict(headersOf({ webhookId: 'WEBHOOK2' }), { webhookIds })).toBe('accepted');
    expect(verdict(headersOf({ webhookId: 'WEBHOOK3' }), { webhookIds })).toBe('SignatureRefused');
  });

  test('is accepted with either certificate while PayPal changes from one to the next', () => {
    const [going, coming] = [new CertificateAuthority().issue(), new CertificateAuthority().issue()];
    const time = new Date().toISOString();
    const check = paypalSignature({
      webhookIds: ['WEBHOOK1'],
      certificates: [going, coming].map(({ cert }) => new X509Certificate(cert)),
    });

    for (const { key } of [going, coming]) {
      expect(() => check(Buffer.from(BODY), headersOf({ time, key }))).not.toThrow();
    }
    expect(() => check(Buffer.from(BODY), headersOf({ time }))).toThrow(SignatureRefused);
  });

  test.each(['2020-01-02T03:04:05Z', '2190-01-02T03:04:05Z'])(
    'is refused at %s, when the certificate is not valid, and the reason has a name of its own',
    (time) => {
      expect(verdict(headersOf({ time }), { checkedAt: time })).toBe('CertificateExpired');
    },
  );

  test.each([
    ['75 hours old', 75 * HOUR_S, 'accepted'],
    ['older than 75 hours', 75 * HOUR_S + 1, 'SignatureRefused'],
    ['five minutes ahead', -300, 'accepted'],
    ['more than five minutes ahead', -301, 'SignatureRefused'],
  ])('that is %s: %s', (_, ageS, expected) => {
    expect(verdict(headersOf(), { ageS: Number(ageS) })).toBe(expected);
  });

  test.each(['2027-01-02T03:04:05.123Z', '2027-01-01T20:04:05-07:00'])('with the time %s is accepted', (time) => {
    expect(verdict(headersOf({ time }))).toBe('accepted');
  });

  test.each(['1700000000', '2027-01-02', '2027-13-02T03:04:05Z', '2027-01-02T03:04:05', `${TIME}abc`, `${TIME}|x`, ''])(
    'with the time "%s" is malformed, although it is signed',
    (time) => {
      expect(verdict(headersOf({ time }))).toBe('COORD_SIGNATURE_MALFORMED');
    },
  );

  test.each(['e1|7', 'e1 7', 'x'.repeat(51), ''])('with the transmission "%s" is malformed', (id) => {
    expect(verdict(headersOf({ id }))).toBe('COORD_SIGNATURE_MALFORMED');
  });

  test.each([
    ['no base64', 'no base64!'],
    ['too long', 'A'.repeat(1_367)],
    ['empty', ''],
  ])('that is %s is malformed', (_, signature) => {
    expect(verdict({ ...headersOf(), 'paypal-transmission-sig': signature })).toBe('COORD_SIGNATURE_MALFORMED');
  });

  test.each(['paypal-transmission-id', 'paypal-transmission-time', 'paypal-transmission-sig', 'paypal-auth-algo'])(
    'is refused without %s, and malformed when the header comes twice',
    (name) => {
      const headers: Record<string, string> = headersOf();

      expect(verdict({ ...headers, [name]: undefined })).toBe('SignatureRefused');
      // As Node joins them.
      expect(verdict({ ...headers, [name]: `${headers[name]}, ${headers[name]}` })).toBe('COORD_SIGNATURE_MALFORMED');
    },
  );

  test('of another algorithm counts for nothing', () => {
    expect(verdict({ ...headersOf(), 'paypal-auth-algo': 'none' })).toBe('SignatureRefused');
    expect(verdict({ ...headersOf(), 'paypal-auth-algo': 'SHA1withRSA' })).toBe('SignatureRefused');
  });

  test('does not depend on where the message says that its certificate is', () => {
    expect(verdict({ ...headersOf(), 'paypal-cert-url': 'http://169.254.169.254/' })).toBe('accepted');
  });

  test('that is refused leaves nothing of the request in the error', () => {
    const check = paypalSignature({ webhookIds: ['WEBHOOK1'], certificates: [certificate] }, () => Date.parse(TIME));
    let refused: unknown;
    try {
      check(Buffer.from('{"email":"ada@example.test"}'), headersOf());
    } catch (error) {
      refused = error;
    }

    expect(inspect(refused, { showHidden: true })).toMatch(/^SignatureRefused: No certificate has signed this body/);
    expect(inspect(refused, { showHidden: true })).not.toMatch(/ada|e1b7/);
  });
});
