import { apiRoute, bearerToken } from '@coordinator/extension';
import { order } from './order.ts';
import { fulfil } from './tasks.ts';

/** The shop places an order. Without an `Idempotency-Key` the order number is the key: one order, one job. */
export const placeOrder = apiRoute({
  path: '/v1/orders',
  summary: 'Place an order: each of its lines is delivered to the customer',
  auth: bearerToken(),
  body: order,
  errors: ['COORD_IDEMPOTENCY_CONFLICT'],
  accept: async ({ orderNumber, customer, lines }, { queue, caller, idempotencyKey }) => [
    await queue.enqueue(
      fulfil,
      { orderNumber, username: customer.username, lines },
      { idempotencyKey: idempotencyKey ?? `${caller}:order:${orderNumber}`, subject: `order:${orderNumber}` },
    ),
  ],
});
