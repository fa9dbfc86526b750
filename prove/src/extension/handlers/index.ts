import type { Handlers } from '@coordinator/extension';
import type { ProveConfig } from '../config.ts';
import { SinkClient } from '../sink-client.ts';
import * as tasks from '../tasks.ts';
import { misbehave } from './misbehave.ts';

/** The handlers of this extension. */
export function createHandlers(config: ProveConfig): Handlers<typeof tasks> {
  const sink = new SinkClient(config);
  return {
    deliver: async ({ note, destination, lane, seq }, { step, signal, job, attempt }) => {
      await step('deliver', ({ idempotencyKey }) =>
        sink.deliver(destination, { note, lane, seq, jobId: job.id, attempt }, idempotencyKey, signal),
      );
    },
    gated: async ({ note }, { signal, job, attempt }) => {
      await sink.gate({ note, jobId: job.id, attempt }, signal);
    },
    misbehave,
    family: async ({ note, children }, { step, signal, job, attempt, enqueue }) => {
      for (const child of children) enqueue(tasks.deliver, { note: child, destination: 'main' });
      await step('deliver', ({ idempotencyKey }) =>
        sink.deliver('main', { note, jobId: job.id, attempt }, idempotencyKey, signal),
      );
    },
  };
}
