import type { Handlers } from '@coordinator/extension';
import { PayPalClient } from '../client.ts';
import type { PayPalConfig } from '../config.ts';
import type * as tasks from '../tasks.ts';
import { confirmPayment } from './confirm-payment.ts';
import { confirmRefund } from './confirm-refund.ts';
import { recordEvent } from './record-event.ts';

/** The handlers of this extension. */
export function createHandlers(config: PayPalConfig): Handlers<typeof tasks> {
  const paypal = new PayPalClient(config);
  return { confirmPayment: confirmPayment(paypal), confirmRefund: confirmRefund(paypal), recordEvent };
}
