import type { DataOf, paymentRefunded, paymentSucceeded } from '@coordinator/extension';
import type { Capture, Refund } from './client.ts';

/** What a capture tells, as PayPal has it in its books. */
export function succeededPayment(capture: Capture): DataOf<typeof paymentSucceeded> {
  const { id, amount, orderNumber, createdAt } = capture;
  return { processor: 'paypal', paymentId: id, orderNumber, ...amount, occurredAt: createdAt };
}

/**
 * What a refund tells, as PayPal has it in its books.
 *
 * @param orderNumber of the refund, or else of its capture
 */
export function refundedPayment(refund: Refund, orderNumber: string | undefined): DataOf<typeof paymentRefunded> {
  const { id, captureId, amount, createdAt } = refund;
  return {
    ...{ processor: 'paypal', paymentId: captureId, refundId: id, orderNumber },
    ...amount,
    occurredAt: createdAt,
  };
}
