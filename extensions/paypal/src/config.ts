import { list, secret, serviceUrl, text } from '@coordinator/extension';
import { z } from 'zod';
import { certificates } from './certificates-field.ts';

/** What its handlers read from the environment. */
export const paypalConfig = z.object({
  /** Base address of PayPal's REST API; that of its sandbox is `https://api-m.sandbox.paypal.com`. */
  PAYPAL_URL: serviceUrl().default('https://api-m.paypal.com'),
  /** Client id of the REST app that the webhook belongs to. */
  PAYPAL_CLIENT_ID: text(),
  /** Secret of that app. */
  PAYPAL_CLIENT_SECRET: secret(),
});

/** What its routes read from the environment. */
export const paypalRouteConfig = z.object({
  /**
   * Ids of the webhook, `5GP028458E2496506`, separated by commas. PayPal signs the id with each message; while the
   * webhook is being replaced, both stand here.
   */
  PAYPAL_WEBHOOK_IDS: list().refine((ids) => ids.length > 0 && ids.every((id) => /^[A-Za-z0-9]{1,50}$/.test(id)), {
    message: 'must be ids of webhooks (several: separated by commas), each 1 to 50 letters and digits',
  }),
  /** The certificates that PayPal signs with: in PEM, or the base64 of each, separated by commas. */
  PAYPAL_WEBHOOK_CERTS: certificates(),
});

/** See {@link paypalConfig}. */
export type PayPalConfig = z.output<typeof paypalConfig>;
