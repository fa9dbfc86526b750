import { expect, test } from '@jest/globals';
import { LocalBreaker } from './local-breaker.ts';
import { defaultBreaker } from './protection-policy.ts';

let now = 0;
const newBreaker = () => new LocalBreaker({ ...defaultBreaker, failures: 3, openMs: 1_000 }, () => now);

test('opens at failures in a row, and lets one call through each time that it was open for long enough', () => {
  const breaker = newBreaker();
  for (let n = 0; n < 3; n++) {
    expect(breaker.openForMs()).toBe(0);
    breaker.failed();
  }
  expect(breaker.openForMs()).toBe(1_000);
  now += 1_000;
  expect([breaker.openForMs(), breaker.openForMs()]).toEqual([0, 1_000]);
  breaker.succeeded();
  expect([breaker.openForMs(), breaker.openForMs()]).toEqual([0, 0]);
});

test('a success in between begins the count anew', () => {
  const breaker = newBreaker();
  for (let n = 0; n < 10; n++) {
    breaker.failed();
    breaker.failed();
    breaker.succeeded();
  }
  expect(breaker.openForMs()).toBe(0);
});
