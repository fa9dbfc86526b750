/** Currencies whose minor unit is not a hundredth. Source: ISO 4217, https://www.six-group.com/en/products-services/financial-information/data-standards.html */
const exponents: Readonly<Record<number, readonly string[]>> = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'.split(' '),
  3: 'BHD IQD JOD KWD LYD OMR TND'.split(' '),
  4: 'CLF UYW'.split(' '),
};
const exponentOf = new Map(
  Object.entries(exponents).flatMap(([exponent, codes]) => codes.map((code) => [code, Number(exponent)])),
);

/**
 * Writes minor units as a decimal string of the currency: 4900 USD is `49.00`, 4900 JPY is `4900`. By moving the point
 * in the digits, because 0.1 has no exact float. Not by Intl, whose data follow use and not ISO 4217 (IQD has none there).
 *
 * @param amountMinor whole number of at least 0
 * @param currency ISO 4217 code
 * @throws RangeError for another amount
 */
export function decimalAmount(amountMinor: number, currency: string): string {
  if (!Number.isSafeInteger(amountMinor) || amountMinor < 0) {
    throw new RangeError('An amount in minor units is a whole number of at least 0');
  }
  const exponent = exponentIn(currency);
  if (exponent === 0) return String(amountMinor);
  const digits = String(amountMinor).padStart(exponent + 1, '0');
  return `${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
}

const DECIMAL = /^(\d{1,16})(?:\.(\d{1,16}))?$/;

/**
 * Reads a decimal string of a currency as minor units: `49.00` and `49` USD are 4900, `4900` JPY is 4900. By moving the
 * point in the digits, as {@link decimalAmount} does.
 *
 * @param currency ISO 4217 code
 * @throws RangeError for a text that is no such amount, for a part of a minor unit and for more than can be kept exactly;
 *   its message does not quote the text
 */
export function minorUnits(text: string, currency: string): number {
  const [, whole, fraction = ''] = DECIMAL.exec(text) ?? [];
  if (whole === undefined) throw new RangeError('An amount is a decimal such as 49.00');
  const exponent = exponentIn(currency);
  if (/[1-9]/.test(fraction.slice(exponent))) throw new RangeError(`An amount of ${currency} is no whole minor unit`);
  const amountMinor = Number(whole + fraction.slice(0, exponent).padEnd(exponent, '0'));
  if (!Number.isSafeInteger(amountMinor)) throw new RangeError('An amount is too large to be kept exactly');
  return amountMinor;
}

function exponentIn(currency: string): number {
  return exponentOf.get(currency) ?? 2;
}
