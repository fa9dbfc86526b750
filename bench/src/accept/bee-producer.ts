import Queue from 'bee-queue';

/** A bee-queue for a process that only enqueues, set as its documentation advises for one. */
export function createProducer(): Queue {
  return new Queue('orders', {
    redis: { url: process.env.REDIS_URL },
    isWorker: false,
    getEvents: false,
    sendEvents: false,
    storeJobs: false,
  });
}
