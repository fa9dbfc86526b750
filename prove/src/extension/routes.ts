import {
  apiRoute,
  bearerToken,
  signature,
  webhook,
  type Receipt,
  type Route,
  type RouteContext,
  type Secret,
} from '@coordinator/extension';
import { z } from 'zod';
import * as tasks from './tasks.ts';

/** A request for one job, by task. */
export const jobRequests = [
  z.strictObject({ task: z.literal('deliver'), payload: tasks.deliver.payload, delayMs: z.int().optional() }),
  z.strictObject({ task: z.literal('fleeting'), payload: tasks.fleeting.payload, delayMs: z.int().optional() }),
  z.strictObject({ task: z.literal('gated'), payload: tasks.gated.payload, delayMs: z.int().optional() }),
  z.strictObject({ task: z.literal('misbehave'), payload: tasks.misbehave.payload, delayMs: z.int().optional() }),
  z.strictObject({ task: z.literal('aside'), payload: tasks.aside.payload, delayMs: z.int().optional() }),
  z.strictObject({ task: z.literal('family'), payload: tasks.family.payload, delayMs: z.int().optional() }),
] as const;

const request = z.discriminatedUnion('task', jobRequests);

/** What the driver sends. */
export type JobRequestBody = z.input<typeof request>;

/** Puts the job of a request on the queue. */
export async function enqueueJob(
  body: z.output<typeof request>,
  { queue, idempotencyKey }: RouteContext,
): Promise<Receipt[]> {
  const lane = 'lane' in body.payload ? body.payload.lane : undefined;
  const subject = 'subject' in body.payload ? body.payload.subject : undefined;
  const options = { idempotencyKey, delayMs: body.delayMs ?? 0, lane, subject };
  switch (body.task) {
    case 'deliver':
      return [await queue.enqueue(tasks.deliver, body.payload, options)];
    case 'fleeting':
      return [await queue.enqueue(tasks.fleeting, body.payload, options)];
    case 'gated':
      return [await queue.enqueue(tasks.gated, body.payload, options)];
    case 'misbehave':
      return [await queue.enqueue(tasks.misbehave, body.payload, options)];
    case 'aside':
      return [await queue.enqueue(tasks.aside, body.payload, options)];
    case 'family':
      return [await queue.enqueue(tasks.family, body.payload, options)];
  }
}

/** Takes a request for one job. */
export const acceptJob = apiRoute({
  path: '/v1/prove/jobs',
  summary: 'Put one job on the queue',
  auth: bearerToken(),
  // Without it the driver could not tell which of its requests a job came from.
  idempotencyKey: 'required',
  body: request,
  accept: enqueueJob,
});

/** An event of a provider: one job per event id, however often it comes. */
export function acceptWebhook(secret: Secret): Route {
  return webhook({
    path: '/webhooks/prove',
    summary: 'Deliver an event once',
    auth: signature((_rawBody, headers) => {
      if (headers['x-prove-secret'] !== secret.reveal()) throw new Error('Sent with another secret');
    }),
    body: z.strictObject({ id: z.string().min(1).max(100) }),
    accept: async ({ id }, { queue }) => {
      const options = { idempotencyKey: id, refuseOtherPayload: false };
      return [await queue.enqueue(tasks.deliver, { note: id, destination: 'main' }, options)];
    },
  });
}
