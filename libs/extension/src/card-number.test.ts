import { describe, expect, test } from '@jest/globals';
import { holdsCardNumber } from './card-number.ts';

describe('the number of a payment card', () => {
  // The test numbers of the networks. Source: https://docs.stripe.com/testing
  test.each([
    '4242424242424242',
    '4000 0566 5566 5556',
    '5555-5555-5555-4444',
    '2223003122003222',
    '378282246310005',
    '6011111111111117',
    '3056930009020004',
    '36227206271667',
    '3566002020360505',
    '6200000000000005',
    'paid with 4242424242424242, thanks',
    'card:4242 4242 4242 4242.',
    '4242\u00a04242\u00a04242\u00a04242',
    '4242 - 4242 - 4242 - 4242'.replaceAll(' - ', ' \u2013'),
    '4242\n4242\n4242\n4242',
    '4242.4242.4242.4242',
    '4242_4242_4242_4242',
    '4242/4242/4242/4242',
    '\uff14242\uff14242\uff14242\uff14242',
    '4242\u200b4242\u200b4242\u200b4242',
  ])('is found in "%s"', (text) => {
    expect(holdsCardNumber(text)).toBe(true);
    expect(holdsCardNumber({ a: [{ b: text }] })).toBe(true);
  });

  test('is found as the name of a member', () => {
    expect(holdsCardNumber([{ '4242 4242 4242 4242': true }])).toBe(true);
  });

  test('is found as a number', () => {
    expect(holdsCardNumber({ amountMinor: 4242424242424242 })).toBe(true);
  });

  test.each([
    ['another check digit', '4242424242424241'],
    ['no network', '1234567890123452'],
    ['a length that its network has not', '42424242424242424'],
    ['a part of an id', 'ch_4242424242424242'],
    ['a part of a UUID', '01a1fa6e-4242-4242-4242-424242424242'],
    ['a longer number', '42424242424242424242424242'],
    ['a decimal', '0.4242424242424242'],
    ['a date and a time', '2026/11/21 18.51.39.123'],
    ['a time in milliseconds', '1763676000000'],
    ['a course', 'course-v1:DemoX+CS101+2026'],
  ])('is not seen in %s', (_what, text) => {
    expect(holdsCardNumber(text)).toBe(false);
  });

  test('is looked for with little work, however long the text is', () => {
    const before = process.cpuUsage();
    for (const text of ['4'.repeat(262_144), '4 '.repeat(131_072), '4-'.repeat(131_072)]) {
      expect(holdsCardNumber(text)).toBe(false);
    }
    // Time of this process alone: that of the clock is the machine's, which may be busy. A search that looks back at each
    // digit takes half a minute and more.
    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(1_000);
  });
});
