import { CoordinatorError } from '@coordinator/tasks';
import { holdsCardNumber } from './card-number.ts';
import type { RouteContext } from './route.ts';

/** What a caller is told. */
const REFUSAL = 'The body holds the number of a payment card: leave it out';

/** Refuses the number of a payment card, anywhere in a value. @throws CoordinatorError COORD_BODY_INVALID */
export function refuseCardNumbers(value: unknown): void {
  if (holdsCardNumber(value)) throw new CoordinatorError('COORD_BODY_INVALID', REFUSAL);
}

/**
 * The queue of a webhook, which keeps no card number. Not the whole body is looked at: some references in it, such as those of
 * card networks, pass for card numbers, and a provider whose event is refused for them could not mend that.
 */
export function cardFreeQueue({ queue, log, caller }: RouteContext): RouteContext['queue'] {
  const check = (value: unknown) => {
    try {
      refuseCardNumbers(value);
    } catch (error) {
      // The provider goes on sending it, so somebody here has to hear of it.
      log.warn({ caller }, 'webhook refused: what it would store holds a card number');
      throw error;
    }
  };
  return {
    enqueue: async (task, payload, options) => {
      check(payload);
      return queue.enqueue(task, payload, options);
    },
    enqueueAll: async (requests) => {
      for (const { payload } of requests) check(payload);
      return queue.enqueueAll(requests);
    },
    emit: async (event, data, options) => {
      check(data);
      return queue.emit(event, data, options);
    },
  };
}
