import { expect, test } from '@jest/globals';
import { markdownTable } from './markdown-table.ts';

const rows = [
  ['P6', '1'],
  ['a longer one', '20'],
];

test('a table in Markdown stands in columns of at least three', () => {
  expect(markdownTable(['name', 'n'], rows).split('\n')).toEqual([
    '| name         | n   |',
    '| ------------ | --- |',
    '| P6           | 1   |',
    '| a longer one | 20  |',
  ]);
});

test('its numbers stand to the right, and are marked so', () => {
  expect(markdownTable(['name', 'n'], rows, { numbers: true }).split('\n')).toEqual([
    '| name         |   n |',
    '| ------------ | --: |',
    '| P6           |   1 |',
    '| a longer one |  20 |',
  ]);
});
