import { signature, webhook, type Route, type Secret } from '@coordinator/extension';
import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { ship } from './tasks.ts';

/** The warehouse reports a lost parcel: it is shipped again, once, however often the report comes. */
export function parcelLost(secret: Secret): Route {
  return webhook({
    path: '/webhooks/warehouse',
    summary: 'Ship a lost parcel again',
    auth: signature((rawBody, headers) => {
      const wanted = createHmac('sha256', secret.reveal()).update(rawBody).digest('hex');
      const given = String(headers['x-warehouse-signature']);
      // Throws when the lengths differ, which is as good an answer.
      if (!timingSafeEqual(Buffer.from(given), Buffer.from(wanted))) throw new Error('Signed with another secret');
    }),
    body: z.object({ id: z.string().min(1).max(64), parcel: ship.payload }),
    accept: async ({ id, parcel }, { queue }) => [
      await queue.enqueue(ship, parcel, { idempotencyKey: id, subject: `order:${parcel.orderNumber}` }),
    ],
  });
}
