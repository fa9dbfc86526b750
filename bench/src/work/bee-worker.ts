import Queue from 'bee-queue';
import { orderExample } from '@coordinator/tools';
import { CONCURRENCY } from './concurrency.ts';
import { measuredWorker } from './measured-worker.ts';

// As its documentation advises for a worker whose results nobody waits for.
const queue = new Queue('plain', {
  redis: { url: process.env.REDIS_URL },
  getEvents: false,
  sendEvents: false,
  storeJobs: false,
  removeOnSuccess: true,
});
let ended = 0;
queue.on('succeeded', () => (ended += 1));

measuredWorker({
  enqueue: (numbers) => queue.saveAll(numbers.map((number) => queue.createJob(orderExample(`W-${number}`)))),
  start: (handler) => queue.process(CONCURRENCY, async () => handler()),
  ended: () => ended,
});
