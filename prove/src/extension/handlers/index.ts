import type { Handlers, PayloadOf, TaskContext } from '@coordinator/extension';
import type { ProveConfig } from '../config.ts';
import { SinkClient } from '../sink-client.ts';
import * as tasks from '../tasks.ts';
import { misbehave } from './misbehave.ts';

/** The handlers of this extension. */
export function createHandlers(config: ProveConfig): Handlers<typeof tasks> {
  const sink = new SinkClient(config);
  const deliver = async (payload: PayloadOf<typeof tasks.deliver>, { step, signal, job, attempt }: TaskContext) => {
    const { note, destination, lane, seq } = payload;
    await step('deliver', ({ idempotencyKey }) =>
      sink.deliver(destination, { note, lane, seq, jobId: job.id, attempt }, idempotencyKey, signal),
    );
  };
  return {
    deliver,
    fleeting: deliver,
    gated: async ({ note }, { signal, job, attempt }) => {
      await sink.gate({ note, jobId: job.id, attempt }, signal);
    },
    misbehave,
    aside: async ({ note }, { step, signal, job, attempt }) => {
      await step('deliver', ({ idempotencyKey }) =>
        sink.deliver('aside', { note, jobId: job.id, attempt }, idempotencyKey, signal),
      );
    },
    family: async ({ note, children }, { step, signal, job, attempt, enqueue }) => {
      for (const child of children) enqueue(tasks.deliver, { note: child, destination: 'main' });
      await step('deliver', ({ idempotencyKey }) =>
        sink.deliver('main', { note, jobId: job.id, attempt }, idempotencyKey, signal),
      );
    },
  };
}
