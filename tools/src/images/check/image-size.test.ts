import { expect, test } from '@jest/globals';
import { sizeLine } from './image-size.ts';

test('a size is told in megabytes, and with the target where it is more', () => {
  expect(sizeLine('coordinator-api', 57_140_000)).toBe('  coordinator-api        57.1 MB');
  expect(sizeLine('coordinator-api', 70_000_001)).toBe(
    '  coordinator-api        70.0 MB, more than the target of 70 MB',
  );
});
