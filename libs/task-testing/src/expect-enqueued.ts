import type { AnyTask } from '@coordinator/tasks';
import type * as jestGlobals from '@jest/globals';
import type { EnqueuedJob } from './recording-backend.ts';

/**
 * Fails unless a job of `task` was put on the queue whose payload matches; the message lists what was there instead.
 *
 * @param source a harness, or the result of runTask()
 * @param payload what the payload must hold at least; may have jest's matchers. Default: any payload
 * @returns the first job that matches, for what else is to be checked: `subject`, `idempotencyKey`, `delayMs`
 */
export function expectEnqueued(
  source: { readonly enqueued: readonly EnqueuedJob[] },
  task: AnyTask,
  payload: object = {},
): EnqueuedJob {
  const found = source.enqueued.find((job) => job.task === task.name && holds(job.payload, payload));
  if (found) return found;
  const lines = source.enqueued.map((job) => `  ${job.task} ${JSON.stringify(job.payload)}`);
  const wanted = Object.keys(payload).length === 0 ? '' : ` with ${JSON.stringify(payload)}`;
  throw new Error(`No job of ${task.name}${wanted} was enqueued. Enqueued were:\n${lines.join('\n') || '  none'}`);
}

function holds(actual: unknown, wanted: object): boolean {
  // Required here and not at the top: @jest/globals refuses to load in a process that is no test, such as the sandbox.
  const { expect } = require('@jest/globals') as typeof jestGlobals;
  try {
    expect(actual).toMatchObject(wanted as Record<string, unknown>);
    return true;
  } catch {
    return false;
  }
}
