import { durationMs, secret, serviceUrl } from '@coordinator/extension';
import { z } from 'zod';

/** What the extension reads from the environment. */
export const proveConfig = z.object({
  /** Where the sink listens. */
  PROVE_SINK_URL: serviceUrl(),
  /** Shown by senders of webhooks. */
  PROVE_WEBHOOK_SECRET: secret(),
  /** Longest time of a call to the sink. Default 5000. */
  PROVE_CALL_TIMEOUT_MS: durationMs(5_000),
});

/** See {@link proveConfig}. */
export type ProveConfig = z.output<typeof proveConfig>;
