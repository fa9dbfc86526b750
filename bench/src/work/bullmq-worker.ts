import { Queue, Worker } from 'bullmq';
import { createClient } from 'redis';
import { orderExample } from '@coordinator/tools';
import { CONCURRENCY } from './concurrency.ts';
import { measuredWorker } from './measured-worker.ts';

const connect = () => createClient({ url: process.env.REDIS_URL });
const queue = new Queue('orders', { connection: connect() });
let ended = 0;

measuredWorker({
  enqueue: (numbers) => queue.addBulk(numbers.map((number) => ({ name: 'order', data: orderExample(`W-${number}`) }))),
  start: async (handler) => {
    const worker = new Worker('orders', async () => handler(), {
      connection: connect(),
      concurrency: CONCURRENCY,
      removeOnComplete: { count: 0 },
    });
    worker.on('completed', () => (ended += 1));
    await worker.waitUntilReady();
  },
  ended: () => ended,
});
