import { describe, expect, test } from '@jest/globals';
import { plantIn } from './planted-bug.ts';

const bug = { name: 'no check', file: 'a.lua', find: 'if x then', replace: "if '$&' then" };

describe('a planted bug', () => {
  test('replaces its text, to the letter', () => {
    expect(plantIn('a if x then b', bug)).toBe("a if '$&' then b");
  });

  test.each([
    ['nowhere', 'if y then', 0],
    ['twice', 'if x then if x then', 2],
  ])('is refused when its text stands %s', (_, text, places) => {
    expect(() => plantIn(text, bug)).toThrow(`"no check" cannot be planted: its text stands ${places} times in a.lua`);
  });
});
