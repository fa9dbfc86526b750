// What most would write: Express, its JSON parser, one save. No check of the caller or the body, no dedupe, no trace.
import express from 'express';
import { createProducer } from './bee-producer.ts';
import { listen } from './listen.ts';

const queue = createProducer();
const app = express();
app.use(express.json());
app.post('/v1/orders', async (request, response) => {
  const job = await queue.createJob(request.body as unknown).save();
  response.status(202).json({ id: job.id });
});
listen(app);
