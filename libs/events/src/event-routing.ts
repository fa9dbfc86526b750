import { CoordinatorError, type EventRouting, type RoutedJob } from '@coordinator/tasks';
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
      const faults = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'data'}: ${issue.message}`);
      const message = `The data of ${event.name} is invalid: ${faults.join('; ')}`;
      throw new CoordinatorError('COORD_PAYLOAD_INVALID', message, { faults });
    }
    const key = idempotencyKey === undefined ? undefined : `${event.name}:${idempotencyKey}`;
    return subscribed.flatMap(({ task, toPayload }): RoutedJob[] => {
      const payload = toPayload(parsed.data as never);
      return payload === undefined
        ? []
        : [{ task, payload, options: { idempotencyKey: key, refuseOtherPayload: false, subject } }];
    });
  };
}
