import type { CoordinatorError } from '@coordinator/tasks';
import { refuseCardNumbers } from './card-number.ts';
import type { RouteContext } from './route.ts';
import { refuseInexact } from './strict-json.ts';

/** Whose queue it is. */
export type WebhookContext = Pick<RouteContext, 'queue' | 'log' | 'caller'> & { readonly path: string };

/**
 * The queue of a webhook. What would be stored holds no card number, and nothing that cannot be kept as it was sent. Not the
 * whole body is looked at: some references in it, such as those of card networks, pass for card numbers, and a provider whose
 * event is refused for what nobody reads could not mend that, and disables us in the end.
 *
 * Ids of events are a provider's own, so keys count for the path that they came by.
 */
export function webhookQueue({ queue, log, caller, path }: WebhookContext): RouteContext['queue'] {
  const check = (...kept: readonly unknown[]) => {
    try {
      refuseCardNumbers(kept);
      refuseInexact(kept);
    } catch (error) {
      // The provider goes on sending it, so somebody here has to hear of it.
      log.warn({ caller, why: (error as CoordinatorError).message }, 'webhook refused for what it would store');
      throw error;
    }
  };
  const ofPath = <Options extends { readonly idempotencyKey?: string | undefined }>(options: Options): Options =>
    options.idempotencyKey === undefined
      ? options
      : { ...options, idempotencyKey: `${path}:${options.idempotencyKey}` };
  return {
    enqueue: async (task, payload, options = {}) => {
      check(payload, options);
      return queue.enqueue(task, payload, ofPath(options));
    },
    enqueueAll: async (requests) => {
      for (const { payload, options } of requests) check(payload, options);
      return queue.enqueueAll(requests.map((request) => ({ ...request, options: ofPath(request.options) })));
    },
    emit: async (event, data, options = {}) => {
      check(data, options);
      return queue.emit(event, data, ofPath(options));
    },
  };
}
