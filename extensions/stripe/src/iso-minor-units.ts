import { CoordinatorError } from '@coordinator/extension';

/** Stripe writes hundredths of these, which ISO 4217 gives no minor unit. */
const HUNDREDTHS = ['ISK', 'UGX'];
/** Stripe writes whole units of these, which ISO 4217 gives two decimals. */
const WHOLE = ['MGA'];

/**
 * Turns an amount as Stripe writes it into minor units after ISO 4217: the same number but for three currencies.
 * Source: https://docs.stripe.com/currencies#minor-units and #special-cases
 *
 * @param currency ISO 4217 code
 * @throws CoordinatorError COORD_BODY_INVALID for a fraction of a currency that has none
 */
export function isoMinorUnits(amount: number, currency: string): number {
  if (WHOLE.includes(currency)) return amount * 100;
  if (!HUNDREDTHS.includes(currency)) return amount;
  if (amount % 100 !== 0) {
    throw new CoordinatorError('COORD_BODY_INVALID', `Stripe writes ${currency} in multiples of 100`);
  }
  return amount / 100;
}
