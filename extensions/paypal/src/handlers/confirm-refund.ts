import { paymentRefunded, type TaskHandler } from '@coordinator/extension';
import type { PayPalClient } from '../client.ts';
import { refundedPayment } from '../payment-events.ts';
import type * as tasks from '../tasks.ts';
import { confirmed } from '../confirmed.ts';

/** Announces a refund as PayPal has it in its books, once for each refund. */
export const confirmRefund =
  (paypal: PayPalClient): TaskHandler<typeof tasks.confirmRefund> =>
  async ({ refundId: id }, { attempt, emit, signal }) => {
    const refund = confirmed(await paypal.refund(id, { signal }), { id, statuses: ['COMPLETED'] }, attempt);
    // One that was made by hand at PayPal names no order; what was paid does.
    const orderNumber = refund.orderNumber ?? (await paypal.capture(refund.captureId, { signal }))?.orderNumber;
    const subject = orderNumber === undefined ? undefined : `order:${orderNumber}`;
    emit(paymentRefunded, refundedPayment(refund, orderNumber), { idempotencyKey: `paypal-refund:${id}`, subject });
  };
