import { defineFake, type FakeAnswer, type FakeRequest, type FakeWebhook } from '@coordinator/extension';
import { randomBytes, randomUUID, sign } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { FakeBooks } from './fake-books.ts';
import { FAKE_CERTIFICATE, FAKE_KEY } from './fixtures/fake-certificate.ts';
import { captureOf, refundOf } from './fixtures/payment-resources.ts';
import { withCrc32 } from './fixtures/same-crc32.ts';

const CLIENT_ID = 'sandbox';
const CLIENT_SECRET = 'sandbox-secret';
const WEBHOOK_ID = 'SANDBOXWEBHOOK';
const TOKEN = 'sandbox-token';

/** A whole event, to be sent as it is. Nothing of it is in the books. */
const wholeEvent = z.object({ event: z.looseObject({}) });

/** The few values of an event that matter. */
const eventValues = z.object({
  type: z.string(),
  id: z.string(),
  captureId: z.string(),
  refundId: z.string(),
  amount: z.string(),
  currency: z.string(),
  /** null for a payment that names no order. */
  orderNumber: z.string().nullable(),
  refundOrderNumber: z.string().optional(),
  createdAt: z.string(),
  status: z.string(),
});

/**
 * An event, and what a forger makes of it: a body with these values in their place, and with the same CRC32, so that the
 * signature of the real one fits.
 */
const sentEvent = eventValues.partial().extend({ forge: eventValues.partial().optional() });

type EventValues = z.output<typeof eventValues>;

const books = new FakeBooks();

/**
 * PayPal as far as it is used here: it sends signed events, and has what they speak of in its books. What has an id that
 * begins with `FOREIGN` belongs to another merchant.
 */
export const paypalFake = defineFake({
  environment: (baseUrl) => ({
    PAYPAL_URL: baseUrl,
    PAYPAL_CLIENT_ID: CLIENT_ID,
    PAYPAL_CLIENT_SECRET: CLIENT_SECRET,
    PAYPAL_WEBHOOK_IDS: WEBHOOK_ID,
    PAYPAL_WEBHOOK_CERTS: FAKE_CERTIFICATE,
  }),
  routes: [
    { name: 'paypal.token', method: 'POST', path: '/v1/oauth2/token', handle: token },
    {
      name: 'paypal.capture',
      method: 'GET',
      path: '/v2/payments/captures/:id',
      handle: (request) => found(request, ({ id = '' }) => books.capture(id)),
    },
    {
      name: 'paypal.refund',
      method: 'GET',
      path: '/v2/payments/refunds/:id',
      handle: (request) => found(request, ({ id = '' }) => books.refund(id)),
    },
  ],
  webhook: (input, { badSignature }) => {
    const webhookId = badSignature ? 'ANOTHERWEBHOOK' : WEBHOOK_ID;
    const whole = wholeEvent.safeParse(input);
    if (whole.success) return signed(JSON.stringify(whole.data.event), webhookId);
    const { forge, ...given } = sentEvent.parse(input ?? {});
    const values = { ...newEvent(), ...given };
    books.enter(values);
    const real = signed(JSON.stringify(eventOf(values)), webhookId);
    return forge ? { ...real, body: forged(real.body, { ...values, ...forge }) } : real;
  },
});

function token({ headers, body }: FakeRequest): FakeAnswer {
  const isClient = headers.authorization === `Basic ${Buffer.from(`${CLIENT_ID}:${CLIENT_SECRET}`).toString('base64')}`;
  if (!isClient) return { status: 401, body: { error: 'invalid_client' } };
  if (!z.object({ grant_type: z.literal('client_credentials') }).safeParse(body).success) {
    return { status: 400, body: { error: 'unsupported_grant_type' } };
  }
  return { status: 200, body: { access_token: TOKEN, token_type: 'Bearer', expires_in: 32_400 } };
}

function found(
  { headers, params }: FakeRequest,
  look: (params: FakeRequest['params']) => object | undefined,
): FakeAnswer {
  if (headers.authorization !== `Bearer ${TOKEN}`) return { status: 401, body: { error: 'invalid_token' } };
  if (params.id?.startsWith('FOREIGN')) return { status: 403, body: { name: 'NOT_AUTHORIZED' } };
  const resource = look(params);
  return resource ? { status: 200, body: resource } : { status: 404, body: { name: 'RESOURCE_NOT_FOUND' } };
}

/** Signs as PayPal does. Source: https://developer.paypal.com/api/rest/webhooks/rest/#link-selfverificationmethod */
function signed(body: string, webhookId: string): FakeWebhook {
  const [id, time] = [randomUUID(), `${new Date().toISOString().slice(0, 19)}Z`];
  const text = `${id}|${time}|${webhookId}|${crc32(body)}`;
  return {
    path: '/webhooks/paypal',
    headers: {
      'content-type': 'application/json',
      'paypal-transmission-id': id,
      'paypal-transmission-time': time,
      'paypal-transmission-sig': sign('sha256', Buffer.from(text), FAKE_KEY).toString('base64'),
      'paypal-cert-url': 'https://api.paypal.com/v1/notifications/certs/CERT-of-the-sandbox',
      'paypal-auth-algo': 'SHA256withRSA',
    },
    body,
  };
}

function forged(body: string, values: EventValues): string {
  return withCrc32(crc32(body), (digits) => JSON.stringify({ ...eventOf(values), digits }));
}

function eventOf(values: EventValues): object {
  const { type, id, createdAt } = values;
  const isRefund = type === 'PAYMENT.CAPTURE.REFUNDED';
  return {
    id,
    event_version: '1.0',
    create_time: createdAt,
    resource_type: isRefund ? 'refund' : 'capture',
    resource_version: '2.0',
    event_type: type,
    summary: 'An event of the sandbox',
    resource: isRefund ? refundOf(values) : captureOf(values),
  };
}

function newEvent(): EventValues {
  return {
    ...{ type: 'PAYMENT.CAPTURE.REFUNDED', id: `WH-${newId()}`, captureId: newId(), refundId: newId() },
    ...{ amount: '49.00', currency: 'USD', orderNumber: 'D-1001', status: 'COMPLETED' },
    createdAt: new Date().toISOString(),
  };
}

function newId(): string {
  return randomBytes(9).toString('hex').slice(0, 17).toUpperCase();
}
