import { schemaFaults } from '@coordinator/logging';
import { CoordinatorError, validPayload, type AnyTask, type EventRouting, type RoutedJob } from '@coordinator/tasks';
import type { AnyEvent } from './event.ts';
import type { Subscription } from './subscription.ts';

/** Makes the routing from events to the jobs of their subscriptions. */
export function createEventRouting(events: Iterable<AnyEvent>, subscriptions: Iterable<Subscription>): EventRouting {
  const byEvent = new Map<string, Subscription[]>(Array.from(events, (event) => [event.name, []]));
  for (const subscription of subscriptions) byEvent.get(subscription.event.name)?.push(subscription);

  return (event, data, { idempotencyKey, subject }) => {
    const subscribed = byEvent.get(event.name);
    if (!subscribed) {
      const message = `No installed extension declares the event "${event.name}": add it to the "events" of the one that emits it`;
      throw new CoordinatorError('COORD_EVENT_UNKNOWN', message);
    }
    const parsed = event.data.safeParse(data);
    if (!parsed.success) {
      const faults = schemaFaults(event.data, parsed.error, data, 'data');
      const message = `The data of ${event.name} is invalid: ${faults.join('; ')}`;
      throw new CoordinatorError('COORD_PAYLOAD_INVALID', message, { faults });
    }
    const key = idempotencyKey === undefined ? undefined : `${event.name}:${idempotencyKey}`;
    const options = { idempotencyKey: key, refuseOtherPayload: false, subject };
    return subscribed.flatMap(({ task, toPayload }): RoutedJob[] => {
      const made = payloadOf(event.name, task, () => toPayload(parsed.data as never));
      if ('fault' in made) return [{ task, payload: parsed.data, options, fault: made.fault }];
      return made.payload === undefined ? [] : [{ task, payload: made.payload, options }];
    });
  };
}

/** What a subscription makes of an event, or why it makes nothing. */
function payloadOf(eventName: string, task: AnyTask, make: () => unknown): { payload: unknown } | { fault: string } {
  try {
    const payload = make();
    return { payload: payload === undefined ? undefined : validPayload(task, payload) };
  } catch (error) {
    // The message of any other error may quote the data.
    const why = error instanceof CoordinatorError ? error.message : error instanceof Error ? error.name : 'unknown';
    return { fault: `The subscription of ${task.name} to ${eventName} made no payload: ${why}` };
  }
}
