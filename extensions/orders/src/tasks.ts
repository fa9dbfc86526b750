import { defineTask, exponential } from '@coordinator/extension';
import { z } from 'zod';
import { order, orderLine } from './order.ts';

/** Have every line of an accepted order delivered. Safe to repeat: its children exist only when it completes. */
export const fulfil = defineTask({
  name: 'orders.fulfil',
  // The e-mail address is left behind: nothing after acceptance needs it.
  payload: z.strictObject({
    orderNumber: order.shape.orderNumber,
    username: order.shape.customer.shape.username,
    lines: z.array(orderLine).min(1).max(100),
  }),
  maxAttempts: 10,
  timeoutMs: 10_000,
  backoff: exponential({ firstMs: 500, maxMs: 60_000 }),
});
