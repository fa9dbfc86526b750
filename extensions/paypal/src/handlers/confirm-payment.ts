import { paymentSucceeded, type TaskHandler } from '@coordinator/extension';
import type { PayPalClient } from '../client.ts';
import { succeededPayment } from '../payment-events.ts';
import type * as tasks from '../tasks.ts';
import { confirmed } from '../confirmed.ts';

/** A capture that was refunded since was collected before. */
const COLLECTED = ['COMPLETED', 'PARTIALLY_REFUNDED', 'REFUNDED'];

/** Announces a payment as PayPal has it in its books, once for each capture. */
export const confirmPayment =
  (paypal: PayPalClient): TaskHandler<typeof tasks.confirmPayment> =>
  async ({ captureId: id }, { attempt, emit, signal }) => {
    const capture = confirmed(await paypal.capture(id, { signal }), { id, statuses: COLLECTED }, attempt);
    const subject = capture.orderNumber === undefined ? undefined : `order:${capture.orderNumber}`;
    emit(paymentSucceeded, succeededPayment(capture), { idempotencyKey: `paypal-capture:${id}`, subject });
  };
