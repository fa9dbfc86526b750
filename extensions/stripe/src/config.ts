import { secretList } from '@coordinator/extension';
import { z } from 'zod';

/** What its routes read from the environment. */
export const stripeRouteConfig = z.object({
  /**
   * Signing secrets of the webhook endpoint, `whsec_…`, separated by commas. While a secret is being rolled Stripe signs
   * with both, and both stand here. Source: https://docs.stripe.com/webhooks#roll-endpoint-secrets
   */
  STRIPE_WEBHOOK_SECRETS: secretList(),
});
