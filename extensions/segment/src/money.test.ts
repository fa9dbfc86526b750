import { expect, test } from '@jest/globals';
import { decimalAmount } from './money.ts';

test.each([
  [4_900, 'USD', '49.00'],
  [5, 'USD', '0.05'],
  [0, 'EUR', '0.00'],
  [4_900, 'JPY', '4900'],
  [0, 'JPY', '0'],
  [5_124, 'KWD', '5.124'],
  [24, 'KWD', '0.024'],
  [12_345, 'CLF', '1.2345'],
])('%i minor units of %s are %s', (amountMinor, currency, expected) => {
  expect(decimalAmount(amountMinor, currency)).toBe(expected);
});

test('the largest whole number keeps all its digits, which division would not', () => {
  expect(decimalAmount(Number.MAX_SAFE_INTEGER, 'USD')).toBe('90071992547409.91');
  expect(decimalAmount(Number.MAX_SAFE_INTEGER, 'KWD')).toBe('9007199254740.991');
});

test.each([-1, 0.5, NaN, 2 ** 53])('%p is no amount in minor units', (amountMinor) => {
  expect(() => decimalAmount(amountMinor, 'USD')).toThrow(RangeError);
});
