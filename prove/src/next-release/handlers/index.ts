import type { Handlers } from '@coordinator/extension';
import type { ProveConfig } from '../../extension/config.ts';
import { createHandlers as createOlderHandlers } from '../../extension/handlers/index.ts';
import { SinkClient } from '../../extension/sink-client.ts';
import * as tasks from '../tasks.ts';

/** The handlers of the tasks of the next release. */
export function createHandlers(config: ProveConfig): Handlers<typeof tasks> {
  const { aside, fleeting, gated, misbehave } = createOlderHandlers(config);
  const sink = new SinkClient(config);
  return {
    aside,
    fleeting,
    gated,
    misbehave,
    deliver: async ({ note, to: { service, lane, seq } }, { step, signal, job, attempt }) => {
      await step('deliver', ({ idempotencyKey }) =>
        sink.deliver(service, { note, lane, seq, jobId: job.id, attempt }, idempotencyKey, signal),
      );
    },
    family: async ({ note, children }, { step, signal, job, attempt, enqueue }) => {
      for (const child of children) enqueue(tasks.deliver, { note: child, to: { service: 'main' } });
      await step('deliver', ({ idempotencyKey }) =>
        sink.deliver('main', { note, jobId: job.id, attempt }, idempotencyKey, signal),
      );
    },
    announce: async ({ note }, { step, signal, job, attempt }) => {
      await step('deliver', ({ idempotencyKey }) =>
        sink.deliver('main', { note, jobId: job.id, attempt }, idempotencyKey, signal),
      );
    },
  };
}
