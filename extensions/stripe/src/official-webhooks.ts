import { createRequire } from 'node:module';

/** The part of the official package that checks signatures; see {@link webhooks}. */
export interface OfficialWebhooks {
  readonly signature: {
    /**
     * @param tolerance largest age in seconds
     * @param receivedAt when the request came, in milliseconds since 1970
     * @throws StripeSignatureVerificationError, which holds the whole body: it must not be logged
     */
    verifyHeader(
      payload: Uint8Array,
      header: string,
      secret: string,
      tolerance: number,
      cryptoProvider: undefined,
      receivedAt: number,
    ): boolean;
  };
}

// Every API process loads this file when it starts. The package's one door brings all resources of Stripe's API: 220
// modules, 67 ms and 15 MB; these two modules and what they need take 11 ms and 4 MB (Node 20, stripe 23.1.0). The
// version is pinned, and official-webhooks.test.ts fails when a newer one has moved them.
const fromStripe = createRequire(require.resolve('stripe'));
const { createWebhooks } = fromStripe('./Webhooks.js') as { createWebhooks(platform: unknown): OfficialWebhooks };
const { NodePlatformFunctions } = fromStripe('./platform/NodePlatformFunctions.js') as {
  NodePlatformFunctions: new () => object;
};

/** `Stripe.webhooks` of the official package, without the rest of it. */
export const webhooks: OfficialWebhooks = createWebhooks(new NodePlatformFunctions());
