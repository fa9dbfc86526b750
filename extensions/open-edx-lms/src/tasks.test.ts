import { expect, test } from '@jest/globals';
import { enrol } from './tasks.ts';

test('an enrolment is first tried again within half a second', () => {
  expect(enrol.backoff(1, () => 1)).toBe(500);
});

test('an outage of four days spends no more attempts than an enrolment has', () => {
  const meanDelaysMs = Array.from({ length: enrol.maxAttempts - 1 }, (_, i) => enrol.backoff(i + 1, () => 0.5));

  expect(meanDelaysMs.reduce((sum, delayMs) => sum + delayMs, 0)).toBeGreaterThan(enrol.giveUpAfterMs);
});
