import { expect, test } from '@jest/globals';
import { readOptions } from './bench-options.ts';

test('measures everything unless told otherwise', () => {
  expect(readOptions([])).toMatchObject({ rounds: 8, requests: 2_000, only: undefined, profile: undefined });
  expect(readOptions(['--only', 'work', '--rounds', '3'])).toMatchObject({ only: 'work', rounds: 3 });
});

test.each([[['--rounds', '0']], [['--requests', 'many']], [['--only', 'everything']], [['--fast']]])(
  'refuses %j',
  (args) => {
    expect(() => readOptions(args)).toThrow(/--/);
  },
);
