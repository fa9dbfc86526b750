// The bare route with the checks that ours makes, made the usual way: token, schema, and a job id that is the key.
import { orders } from '@coordinator/extension-orders';
import express from 'express';
import { timingSafeEqual } from 'node:crypto';
import type { z } from 'zod';
import { createProducer } from './bee-producer.ts';
import { listen } from './listen.ts';

const expected = Buffer.from(`Bearer ${process.env.API_TOKEN}`);
// The very schema of our route, whatever becomes of it.
const schema = orders.routes({})[0]?.body as z.ZodType<{ orderNumber: string }>;

const queue = createProducer();
const app = express();
app.use(express.json());
app.post('/v1/orders', async (request, response) => {
  const shown = Buffer.from(request.get('authorization') ?? '');
  if (shown.length !== expected.length || !timingSafeEqual(shown, expected)) {
    response.status(401).json({ error: 'unauthorized' });
    return;
  }
  const order = schema.safeParse(request.body);
  if (!order.success) {
    response.status(422).json({ errors: order.error.issues });
    return;
  }
  const key = `shop:${request.get('idempotency-key') ?? order.data.orderNumber}`;
  const job = await queue.createJob(order.data).setId(key).save();
  response.status(202).json({ id: key, duplicate: job.id === null });
});
listen(app);
