import { describe, expect, test } from '@jest/globals';
import { REPOSITORY } from '@coordinator/tools';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { plantIn } from './planted-bug.ts';
import { plantedBugs } from './planted-bugs.ts';

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

  // Which proof finds it takes minutes to see; that nothing is left to plant it in is seen here.
  test.each(plantedBugs)('has its place in what is built: $name', (planted) => {
    expect(plantIn(readFileSync(join(REPOSITORY, planted.file), 'utf8'), planted)).toContain(planted.replace);
  });
});
