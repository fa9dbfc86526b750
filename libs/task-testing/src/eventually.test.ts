import { describe, expect, test } from '@jest/globals';
import { eventually } from './eventually.ts';

describe('eventually', () => {
  test('gives the value of the first try that does not throw', async () => {
    let tries = 0;
    const check = () => {
      tries += 1;
      if (tries < 3) throw new Error('not yet');
      return tries;
    };
    expect(await eventually(check, { everyMs: 1 })).toBe(3);
  });

  test('fails after its deadline with what was wrong last', async () => {
    const check = () => Promise.reject(new Error('still down'));
    await expect(eventually(check, { deadlineMs: 5, everyMs: 1 })).rejects.toThrow('Not true within 5 ms: still down');
  });
});
