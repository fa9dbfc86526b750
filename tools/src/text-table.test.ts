import { expect, test } from '@jest/globals';
import { textTable } from './text-table.ts';

test('a table stands in columns as wide as their longest cell, and no line ends in spaces', () => {
  const rows = [
    ['lms.enrol', ''],
    ['mail', 'waiting'],
  ];
  expect(textTable(['task', 'was'], rows)).toBe('  task       was\n  lms.enrol\n  mail       waiting');
});

test('numbers stand to the right, under a name to the left', () => {
  expect(textTable(['queue', 'dead'], [['lms', '7']], { numbers: true })).toBe('  queue  dead\n  lms       7');
});

test('a table without rows is its head', () => {
  expect(textTable(['queue', 'dead'], [])).toBe('  queue  dead');
});
