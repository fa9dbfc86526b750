import { expect, test } from '@jest/globals';
import { isoMinorUnits } from './iso-minor-units.ts';

test('amounts are minor units already, in most currencies', () => {
  expect(isoMinorUnits(4_900, 'USD')).toBe(4_900);
  expect(isoMinorUnits(4_900, 'JPY')).toBe(4_900);
  expect(isoMinorUnits(5_120, 'KWD')).toBe(5_120);
});

test('currencies that Stripe writes in another way than ISO 4217 are converted', () => {
  expect(isoMinorUnits(500, 'ISK')).toBe(5);
  expect(isoMinorUnits(500, 'UGX')).toBe(5);
  expect(isoMinorUnits(500, 'MGA')).toBe(50_000);
});

test('a fraction of a currency without a minor unit is refused, not rounded', () => {
  expect(() => isoMinorUnits(510, 'ISK')).toThrow(expect.objectContaining({ code: 'COORD_BODY_INVALID' }));
});
