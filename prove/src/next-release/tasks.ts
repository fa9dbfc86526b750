import { defineTask, noPii, upcast } from '@coordinator/extension';
import { z } from 'zod';
import { delivery, note } from '../extension/delivery.ts';
import * as before from '../extension/tasks.ts';
import { inNextShape, nextDelivery } from './delivery.ts';

export { aside, family, fleeting, gated, misbehave } from '../extension/tasks.ts';

/** As before, in another shape. */
export const deliver = defineTask({
  ...before.deliver,
  payload: nextDelivery,
  payloadVersion: 2,
  upcasters: { 1: upcast(delivery, nextDelivery, inNextShape) },
});

/** Unknown to the release before. */
export const announce = defineTask({
  ...before.family,
  name: 'prove.announce',
  payload: noPii(z.strictObject({ note })),
});
