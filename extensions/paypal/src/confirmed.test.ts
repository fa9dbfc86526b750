import { describe, expect, test } from '@jest/globals';
import { confirmed } from './confirmed.ts';

const wanted = { id: 'CAP1', statuses: ['COMPLETED'] };

describe('what a webhook says', () => {
  test('is confirmed by the resource that was asked for, in a state that makes it true', () => {
    const resource = { id: 'CAP1', status: 'COMPLETED', amount: '49.00' };

    expect(confirmed(resource, wanted, 1)).toBe(resource);
  });

  test.each([
    ['nothing', undefined],
    ['another state', { id: 'CAP1', status: 'DECLINED' }],
    ['another resource', { id: 'CAP2', status: 'COMPLETED' }],
  ])('is not confirmed by %s: it is asked again four times, then somebody has to look', (_, resource) => {
    for (const attempt of [1, 2, 3, 4]) {
      expect(() => confirmed(resource, wanted, attempt)).toThrow(expect.objectContaining({ kind: 'transient' }));
    }
    expect(() => confirmed(resource, wanted, 5)).toThrow(expect.objectContaining({ kind: 'permanent' }));
  });
});
