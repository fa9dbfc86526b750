import { durationMs, secret, serviceUrl } from '@coordinator/extension';
import { z } from 'zod';

/** What its handlers read from the environment. */
export const proveConfig = z.object({
  /** Where the sink listens. */
  PROVE_SINK_URL: serviceUrl(),
  /** Another way to it, for destinations that begin with `side-`. Default: the same. */
  PROVE_SIDE_DOOR_URL: serviceUrl().optional(),
  /** Longest time of a call to the sink. Default 5000. */
  PROVE_CALL_TIMEOUT_MS: durationMs(5_000),
});

/** What its routes read from the environment. */
export const proveRouteConfig = z.object({
  /** Shown by senders of webhooks. */
  PROVE_WEBHOOK_SECRET: secret(),
});

/** See {@link proveConfig}. */
export type ProveConfig = z.output<typeof proveConfig>;
