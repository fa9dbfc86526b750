import { defineFake } from '@coordinator/extension';
import { createHmac } from 'node:crypto';
import { z } from 'zod';

const TOKEN = 'sandbox-token';
const SECRET = 'sandbox-secret';

const shipment = z.object({ orderNumber: z.string(), sku: z.string(), quantity: z.int().positive() });

/** The warehouse as far as it is used here: it ships once per idempotency key, and signs its reports. */
export const warehouseFake = defineFake({
  environment: (baseUrl) => ({
    WAREHOUSE_URL: baseUrl,
    WAREHOUSE_TOKEN: TOKEN,
    WAREHOUSE_WEBHOOK_SECRET: SECRET,
  }),
  routes: [
    {
      name: 'warehouse.ship',
      method: 'POST',
      path: '/shipments',
      handle: ({ headers, body }, ledger) => {
        if (headers.authorization !== `Bearer ${TOKEN}`) return { status: 401 };
        const wanted = shipment.safeParse(body);
        const idempotencyKey = headers['idempotency-key'];
        if (!wanted.success || typeof idempotencyKey !== 'string') return { status: 400 };
        const subject = `order:${wanted.data.orderNumber}`;
        ledger.record({ effect: 'warehouse.ship', subject, idempotencyKey, request: wanted.data });
        return { status: 201 };
      },
    },
    {
      name: 'warehouse.close-day',
      method: 'POST',
      path: '/days/:day/close',
      handle: ({ headers, params }, ledger) => {
        if (headers.authorization !== `Bearer ${TOKEN}`) return { status: 401 };
        const { day } = params;
        // A day is closed once, whoever asks.
        ledger.record({
          effect: 'warehouse.close-day',
          subject: `day:${day}`,
          idempotencyKey: `${day}`,
          request: params,
        });
        return { status: 200 };
      },
    },
  ],
  webhook: (report, { badSignature }) => {
    const body = JSON.stringify(report);
    const signature = createHmac('sha256', badSignature ? 'another' : SECRET)
      .update(body)
      .digest('hex');
    const headers = { 'content-type': 'application/json', 'x-warehouse-signature': signature };
    return { path: '/webhooks/warehouse', headers, body };
  },
});
