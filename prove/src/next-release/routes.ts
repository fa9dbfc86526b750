import { apiRoute, bearerToken } from '@coordinator/extension';
import { z } from 'zod';
import { jobRequests } from '../extension/routes.ts';
import { inNextShape } from './delivery.ts';
import * as tasks from './tasks.ts';

const request = z.discriminatedUnion('task', [
  ...jobRequests,
  z.strictObject({ task: z.literal('announce'), payload: tasks.announce.payload, delayMs: z.int().optional() }),
]);

/** What the driver sends to the next release. */
export type NextRequestBody = z.input<typeof request>;

/** Takes what the release before took, makes the new shape of it, and takes the new task besides. */
export const acceptJob = apiRoute({
  path: '/v1/prove/jobs',
  summary: 'Put one job on the queue',
  auth: bearerToken(),
  body: request,
  accept: async (body, { queue, idempotencyKey }) => {
    const options = { idempotencyKey, delayMs: body.delayMs ?? 0 };
    switch (body.task) {
      case 'deliver':
        return [await queue.enqueue(tasks.deliver, inNextShape(body.payload), { ...options, lane: body.payload.lane })];
      case 'fleeting':
        return [await queue.enqueue(tasks.fleeting, body.payload, options)];
      case 'gated':
        return [await queue.enqueue(tasks.gated, body.payload, options)];
      case 'misbehave':
        return [await queue.enqueue(tasks.misbehave, body.payload, options)];
      case 'family':
        return [await queue.enqueue(tasks.family, body.payload, options)];
      case 'announce':
        return [await queue.enqueue(tasks.announce, body.payload, options)];
    }
  },
});
