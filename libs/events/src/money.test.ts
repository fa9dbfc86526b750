import { expect, test } from '@jest/globals';
import { decimalAmount, minorUnits } from './money.ts';

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

test.each([
  ['49.00', 'USD', 4_900],
  ['49', 'USD', 4_900],
  ['49.9', 'USD', 4_990],
  ['0.05', 'USD', 5],
  ['0.29', 'USD', 29],
  ['4900', 'JPY', 4_900],
  ['4900.00', 'JPY', 4_900],
  ['5.124', 'KWD', 5_124],
  ['1.2345', 'CLF', 12_345],
  ['90071992547409.91', 'USD', Number.MAX_SAFE_INTEGER],
])('%s %s are %i minor units', (text, currency, expected) => {
  expect(minorUnits(text, currency)).toBe(expected);
});

test.each([
  ['49.001', 'USD'],
  ['4900.5', 'JPY'],
  ['90071992547409.92', 'USD'],
  ['-1.00', 'USD'],
  ['1e3', 'USD'],
  ['1,000.00', 'USD'],
  ['.5', 'USD'],
  ['5.', 'USD'],
  [' 5', 'USD'],
  ['', 'USD'],
])('"%s" %s is no amount in minor units', (text, currency) => {
  expect(() => minorUnits(text, currency)).toThrow(RangeError);
});
