// The bare route with BullMQ in the place of bee-queue.
import { Queue } from 'bullmq';
import express from 'express';
import { createClient } from 'redis';
import { listen } from './listen.ts';

const queue = new Queue('orders', { connection: createClient({ url: process.env.REDIS_URL }) });
const app = express();
app.use(express.json());
app.post('/v1/orders', async (request, response) => {
  const job = await queue.add('order', request.body as unknown);
  response.status(202).json({ id: job.id });
});
listen(app);
