import { defineFake } from '@coordinator/extension';
import { z } from 'zod';

const WRITE_KEY = 'sandbox-write-key';

const trackBody = z
  .looseObject({
    event: z.string().min(1),
    messageId: z.string().min(1),
    userId: z.string().min(1).optional(),
    anonymousId: z.string().min(1).optional(),
    properties: z.looseObject({ order_id: z.string().optional() }).default({}),
  })
  .refine(({ userId, anonymousId }) => userId ?? anonymousId, 'userId or anonymousId is required');

/** Segment as far as it is used here: it takes an event once and says yes to every repeat, as the real one does. */
export const segmentFake = defineFake({
  environment: (baseUrl) => ({ SEGMENT_URL: baseUrl, SEGMENT_WRITE_KEY: WRITE_KEY }),
  routes: [
    {
      name: 'segment.track',
      method: 'POST',
      path: '/v1/track',
      handle: ({ headers, body }, ledger) => {
        if (headers.authorization !== `Basic ${Buffer.from(`${WRITE_KEY}:`).toString('base64')}`) {
          return { status: 401, body: { success: false, message: 'invalid write key' } };
        }
        const parsed = trackBody.safeParse(body);
        if (!parsed.success) return { status: 400, body: { success: false, message: 'malformed event' } };
        const { messageId, properties } = parsed.data;
        ledger.record({
          effect: 'segment.track',
          subject: properties.order_id === undefined ? `segment-message:${messageId}` : `order:${properties.order_id}`,
          idempotencyKey: headerOf(headers['idempotency-key']),
          identity: messageId,
          request: parsed.data,
        });
        return { status: 200, body: { success: true } };
      },
    },
  ],
});

function headerOf(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
