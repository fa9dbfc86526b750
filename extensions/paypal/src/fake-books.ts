import { captureOf, refundOf, type PaymentValues } from './fixtures/payment-resources.ts';

/** Payments that are remembered. */
const MOST_PAYMENTS = 10_000;

/** What the fake of PayPal knows: the payments that its own events have spoken of, and their refunds. */
export class FakeBooks {
  readonly #captures = new Map<string, object>();
  readonly #refunds = new Map<string, object>();

  /** Enters a payment with its refund. */
  enter(values: PaymentValues): void {
    remember(this.#captures, values.captureId, captureOf(values));
    remember(this.#refunds, values.refundId, refundOf(values));
  }

  capture(id: string): object | undefined {
    return this.#captures.get(id);
  }

  refund(id: string): object | undefined {
    return this.#refunds.get(id);
  }
}

function remember(entries: Map<string, object>, id: string, entry: object): void {
  entries.set(id, entry);
  const [oldest] = entries.keys();
  if (entries.size > MOST_PAYMENTS && oldest !== undefined) entries.delete(oldest);
}
