import { DownstreamClient, DownstreamError, minorUnits, oauth2ClientCredentials } from '@coordinator/extension';
import { z } from 'zod';
import type { PayPalConfig } from './config.ts';
import { paypalId } from './paypal-event.ts';

/** ISO 4217 code and decimal string, `19.99`, turned into minor units. */
const money = z
  .object({ currency_code: z.string().regex(/^[A-Z]{3}$/), value: z.string().max(32) })
  .transform(({ currency_code: currency, value }) => ({ currency, amountMinor: minorUnits(value, currency) }));

/** PayPal writes some times with the offset of California. */
const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text).toISOString());

/** What the shop has put there. Longer ones are of another system. */
const orderNumber = z
  .string()
  .regex(/^\P{C}{1,64}$/u)
  .optional()
  .catch(undefined);

/** Source: https://developer.paypal.com/docs/api/payments/v2/#captures_get */
const capture = z
  .object({ id: paypalId, status: z.string(), amount: money, invoice_id: orderNumber, create_time: time })
  .transform(({ invoice_id: orderNumber, create_time: createdAt, ...rest }) => ({ ...rest, orderNumber, createdAt }));

const CAPTURE_PATH = /\/v2\/payments\/captures\/([A-Za-z0-9-]{1,64})$/;

/** The capture that was refunded is named by a link only. */
const links = z.array(z.object({ rel: z.string(), href: z.string() })).transform((all, { addIssue }) => {
  const captureId = CAPTURE_PATH.exec(all.find(({ rel }) => rel === 'up')?.href ?? '')?.[1];
  if (captureId === undefined) addIssue({ code: 'custom', message: 'must lead up to a capture' });
  return captureId ?? '';
});

/** Source: https://developer.paypal.com/docs/api/payments/v2/#refunds_get */
const refund = z
  .object({ id: paypalId, status: z.string(), amount: money, invoice_id: orderNumber, create_time: time, links })
  .transform(({ invoice_id: orderNumber, create_time: createdAt, links: captureId, ...rest }) => ({
    ...rest,
    ...{ orderNumber, createdAt, captureId },
  }));

const refusal = z.object({ name: z.string().regex(/^[A-Z_]{1,64}$/) });

/** A payment that was collected, or is to be; `createdAt` in ISO 8601. */
export type Capture = z.output<typeof capture>;
/** Money that was paid back, or is to be; `captureId` is where it came from. */
export type Refund = z.output<typeof refund>;

/** Of a call: it lasts only as long as the attempt. */
export interface CallOptions {
  readonly signal: AbortSignal;
}

/** What we ask of PayPal: what it has in its books, undefined where it knows nothing of this id. */
export class PayPalClient {
  readonly #http: DownstreamClient;

  constructor({ PAYPAL_URL: baseUrl, PAYPAL_CLIENT_ID: clientId, PAYPAL_CLIENT_SECRET: clientSecret }: PayPalConfig) {
    this.#http = new DownstreamClient({
      name: 'paypal',
      baseUrl,
      // Its messages are written for people; `NOT_AUTHORIZED` says that the app lacks a permission.
      describeError: (_, body) => refusal.safeParse(body).data?.name,
      auth: oauth2ClientCredentials({
        ...{ tokenUrl: `${baseUrl}/v1/oauth2/token`, clientId, clientSecret },
        ...{ style: 'basic', scheme: 'Bearer' },
      }),
    });
  }

  /** @throws DownstreamError */
  async capture(id: string, call: CallOptions): Promise<Capture | undefined> {
    return this.#find('/v2/payments/captures/{id}', id, capture, call);
  }

  /** @throws DownstreamError */
  async refund(id: string, call: CallOptions): Promise<Refund | undefined> {
    return this.#find('/v2/payments/refunds/{id}', id, refund, call);
  }

  async #find<T>(path: string, id: string, answer: z.ZodType<T>, call: CallOptions): Promise<T | undefined> {
    try {
      return (await this.#http.request({ method: 'GET', path, params: { id }, answer, ...call })).body;
    } catch (error) {
      if (error instanceof DownstreamError && error.status === 404) return undefined;
      throw error;
    }
  }
}
