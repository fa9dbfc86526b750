import { basic, DownstreamClient, Secret, type PayloadOf } from '@coordinator/extension';
import { z } from 'zod';
import type { segmentConfig } from './config.ts';
import type * as tasks from './tasks.ts';

/** How a call is made: once per step, and only as long as the attempt lasts. */
export interface CallOptions {
  readonly idempotencyKey: string;
  readonly signal: AbortSignal;
}

/** What we ask of Segment. */
export interface SegmentClient {
  /** Sends one event. @throws TaskError */
  track(event: PayloadOf<typeof tasks.track>, options: CallOptions): Promise<void>;
}

const accepted = z.object({ success: z.literal(true) });

/** Speaks to Segment's HTTP API. Source: https://www.twilio.com/docs/segment/connections/sources/catalog/libraries/server/http-api */
export function createSegmentClient(config: z.output<typeof segmentConfig>): SegmentClient {
  const http = new DownstreamClient({
    name: 'segment',
    baseUrl: config.SEGMENT_URL,
    // Segment's form of Basic authentication: the write key is the user, and there is no password.
    auth: basic(config.SEGMENT_WRITE_KEY, new Secret('')),
  });
  return {
    async track({ properties, ...event }, options) {
      const { orderNumber, ...rest } = properties;
      await http.request({
        method: 'POST',
        path: '/v1/track',
        params: {},
        json: { ...event, properties: { order_id: orderNumber, ...rest } },
        answer: accepted,
        ...options,
      });
    },
  };
}
