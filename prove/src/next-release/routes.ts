import { apiRoute, bearerToken } from '@coordinator/extension';
import { z } from 'zod';
import { enqueueJob, jobRequests } from '../extension/routes.ts';
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
  // Without it the driver could not tell which of its requests a job came from.
  idempotencyKey: 'required',
  body: request,
  accept: async (body, context) => {
    const { queue, idempotencyKey } = context;
    const options = { idempotencyKey, delayMs: body.delayMs ?? 0 };
    switch (body.task) {
      case 'deliver':
        return [await queue.enqueue(tasks.deliver, inNextShape(body.payload), { ...options, lane: body.payload.lane })];
      case 'announce':
        return [await queue.enqueue(tasks.announce, body.payload, options)];
      default:
        return enqueueJob(body, context);
    }
  },
});
