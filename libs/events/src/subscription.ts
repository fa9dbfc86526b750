import type { AnyTask, PayloadOf } from '@coordinator/tasks';
import type { AnyEvent, DataOf } from './event.ts';

/** A task that runs when an event is announced. */
export interface Subscription {
  readonly event: AnyEvent;
  readonly task: AnyTask;
  /** The payload of the task, or undefined when this one event does not concern the task. */
  readonly toPayload: (data: never) => unknown;
}

/** Subscribes a task to an event; `toPayload` answers undefined for events that do not concern the task. */
export function subscribe<E extends AnyEvent, T extends AnyTask>(
  event: E,
  task: T,
  toPayload: (data: DataOf<E>) => PayloadOf<T> | undefined,
): Subscription {
  return { event, task, toPayload };
}
